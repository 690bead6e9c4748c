//! How findings of names, types and values look to a person: the whole message, with what it underlines.

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use dsvmc::render::palette::Palette;
use dsvmc::render::snippet;

/// What is written, and why it is here.
const CASES: &[(&str, &str)] = &[
    (
        "a secret that goes through a constant, a function and a text",
        "secret param password: string\nlet login = \"admin:${password}\"\nfn line(user: string, word: secret string): string = user\nshare home {\n  mount = \"/data/home\"\n  tags  = { login = login }\n}\n",
    ),
    ("a slip of the hand", "let teams = [\"vision\"]\noutput first: string = teems[0]\n"),
    ("units that do not go together", "output wait: string = \"${15 min + 5}\"\n"),
    ("a field that is missing", "share home {\n  quota = 1 TiB\n}\n"),
    ("a field that does not exist", "share home {\n  mount = \"/data/home\"\n  qouta = 1 TiB\n}\n"),
    ("a number where a quantity is needed", "share home {\n  mount = \"/data/home\"\n  quota = 100\n}\n"),
    (
        "a parameter that decides what there is",
        "param teams: [string] = [\"a\"]\nshare home[t in teams] {\n  mount = \"/home/${t}\"\n}\n",
    ),
    (
        "a rule that one env breaks",
        "param most: int = 8\nenv dev { most = 2 }\nenv prod { most = 60 }\ncheck most <= 50 else \"ask first\"\n",
    ),
    (
        "a value of an env out of bounds",
        "param most: int in 1..100 = 8\nenv prod { most = 400 }\noutput most: int = most\n",
    ),
    ("definitions in a circle", "let a = b + 1\nlet b = c\nlet c = a\noutput a: int = a\n"),
    (
        "needs that nothing meets",
        "let size = smallest(gpu >= 2 of H100, memory >= 90 TiB)\noutput name: string = size.name\n",
    ),
    ("a module that is not imported", "output memory: bool = sizes.Standard_D8s_v5.memory > 1 GiB\n"),
    ("an address range with bits after its prefix", "output net: string = \"${10.0.1.7/16}\"\n"),
    ("a phrase without its word", "share home {\n  mount = \"/data/home\"\n  link \"~/a\" \"b\"\n}\n"),
    ("a block in the wrong place", "share home {\n  mount = \"/data/home\"\n  subnet a {}\n}\n"),
];

#[test]
fn messages_read_well() {
    let mut all = String::new();
    for (about, text) in CASES {
        let mut sources = SourceMap::default();
        let mut sink = Sink::default();
        let root = sources.add(SourceFile::new("main.dsvm", format!("project demo {{}}\n{text}")));
        let program = dsvm_sema::load(&[root], &mut sources, &mut |_| Err(dsvm_sema::load::NoText::Missing), &mut sink);
        let _ = dsvm_sema::check_all(&program, &mut sink);
        let found = sink.finish();
        assert_eq!(found.len(), 1, "{about}: {found:?}");
        all.push_str(&format!("## {about}\n\n{}\n", snippet::one(&sources, &found[0], Palette::plain())));
    }
    insta::assert_snapshot!(all);
}
