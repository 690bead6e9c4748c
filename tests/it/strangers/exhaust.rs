//! Input that exhausts: small files that describe what is larger than any memory, and files that are large. Each ends with
//! an error or a result within a fixed memory, on every thread. Nothing is timed; a hang ends by the limit on processor time.

use crate::support::TestContext;
use std::fmt::Write as _;

const PROJECT: &str = "project p { location = westeurope }\n";

/// Memory that a run may take, in KiB: of the address space, which is more than what is used.
const ADDRESS_SPACE: u64 = 3 << 20;
/// And what it may use, in KiB, at its peak: the program unoptimized takes some 40 MiB without any input.
const PEAK: u64 = 220 << 10;
/// Seconds of processor time after which a run counts as a hang. An optimized program takes less than one.
const SECONDS: u32 = 120;

/// What a run did.
struct Done {
    exit: i32,
    text: String,
    /// In KiB.
    peak: Option<u64>,
}

/// Runs a command with bounded memory and processor time.
#[cfg(target_os = "linux")]
fn bounded(cx: &TestContext, arguments: &str) -> Done {
    use std::io::Read;
    let mut shell = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_dsvmc");
    shell.arg("-c").arg(format!("ulimit -v {ADDRESS_SPACE}; ulimit -t {SECONDS}; exec {program} {arguments}"));
    shell.current_dir(cx.path()).env_clear().env("HOME", cx.path()).env("NO_COLOR", "1").env("PATH", "/usr/bin:/bin");
    shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let id = child.id();
    let watcher = std::thread::spawn(move || {
        let mut peak = None;
        while let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(line) = line else { break };
            peak = line.trim().trim_end_matches(" kB").parse().ok().max(peak);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        peak
    });
    let mut errors = child.stderr.take().unwrap();
    let said = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        errors.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut bytes = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
    bytes.extend(said.join().unwrap());
    let status = child.wait().unwrap();
    let peak = watcher.join().unwrap();
    Done { exit: status.code().unwrap_or(-1), text: String::from_utf8_lossy(&bytes).into_owned(), peak }
}

#[cfg(target_os = "linux")]
fn holds(name: &str, done: &Done) {
    let start: String = done.text.chars().take(600).collect();
    assert!(done.exit == 0 || done.exit == 1, "{name}: exit {}: {start}", done.exit);
    assert!(done.peak.is_none_or(|peak| peak <= PEAK), "{name}: {:?} KiB: {start}", done.peak);
    assert!(done.text.len() < 200_000, "{name}: {} bytes of messages: {start}", done.text.len());
}

fn doubling(first: &str, step: impl Fn(usize) -> String, ty: &str) -> String {
    let mut text = format!("{PROJECT}{first}\n");
    for n in 0..60 {
        let _ = writeln!(text, "let a{} = {}", n + 1, step(n));
    }
    text + &format!("output o: {ty} = a60\n")
}

/// Files that describe too much, and the code of the error.
fn too_much() -> Vec<(&'static str, &'static str, String)> {
    let twice = |n: usize| format!("\"${{a{n}}}${{a{n}}}\"");
    let list = "let l = [n for n in 1..1000]\n";
    let nested = |open: &str, inner: &str, close: &str, count: usize, ty: &str| {
        format!("{PROJECT}output o: {ty} = {}{inner}{}\n", open.repeat(count), close.repeat(count))
    };
    vec![
        ("text of a parameter", "DSVM0208", doubling("param x: string = \"a\"\nlet a0 = x", twice, "string")),
        ("known text", "DSVM0208", doubling("let a0 = \"x\"", twice, "string")),
        ("secret text", "DSVM0208", doubling("secret param x: string\nlet a0 = x", twice, "string")),
        ("products", "DSVM0208", doubling("param x: int = 1\nlet a0 = x", |n| format!("a{n} * a{n}"), "int")),
        ("sums", "DSVM0208", doubling("param x: int = 1\nlet a0 = x", |n| format!("a{n} + a{n}"), "int")),
        ("conditions", "DSVM0208", doubling("param x: bool = true\nlet a0 = x", |n| format!("a{n} && !a{n}"), "bool")),
        (
            "branches",
            "DSVM0208",
            doubling(
                "param x: bool = true\nparam y: int = 1\nlet a0 = y",
                |n| format!("if x then a{n} + 1 else a{n} + 2"),
                "int",
            ),
        ),
        ("lists", "DSVM0208", doubling("let a0 = 1", |n| format!("[a{n}, a{n}]"), "any")),
        (
            "lists of parameters",
            "DSVM0208",
            doubling("param x: int = 1\nlet a0 = x", |n| format!("[a{n}, a{n}]"), "any"),
        ),
        ("records", "DSVM0208", doubling("let a0 = 1", |n| format!("{{ a = a{n}, b = a{n} }}"), "any")),
        (
            "records of parameters",
            "DSVM0208",
            doubling("param x: int = 1\nlet a0 = x", |n| format!("{{ a = a{n}, b = a{n} }}"), "any"),
        ),
        (
            "functions",
            "DSVM0208",
            (0..40).fold(format!("{PROJECT}fn f0(x: string): string = \"${{x}}${{x}}\"\n"), |text, n| {
                format!("{text}fn f{}(x: string): string = f{n}(f{n}(x))\n", n + 1)
            }) + "param x: string = \"a\"\noutput o: string = f40(x)\n",
        ),
        (
            "a product of comprehensions",
            "DSVM0208",
            format!("{PROJECT}{list}let q = [[a + b for b in l] for a in l]\noutput o: int = length(q)\n"),
        ),
        (
            "a deep product of comprehensions",
            "DSVM0208",
            format!(
                "{PROJECT}{list}let q = [[[a + b + c for c in l] for b in l] for a in l]\noutput o: int = length(q)\n"
            ),
        ),
        ("interpolation", "DSVM0004", nested("\"${", "1", "}\"", 2000, "string")),
        ("parentheses", "DSVM0004", nested("(", "1", ")", 50_000, "int")),
        ("brackets", "DSVM0004", nested("[", "1", "]", 50_000, "any")),
        ("sum", "DSVM0004", nested("1 + ", "1", "", 50_000, "int")),
        ("difference", "DSVM0004", nested("1 - ", "1", "", 50_000, "int")),
        ("logic", "DSVM0004", nested("true && ", "true", "", 50_000, "bool")),
        ("coalescing", "DSVM0004", nested("null ?? ", "1", "", 50_000, "int")),
        ("signs", "DSVM0004", nested("-", "1", "", 50_000, "int")),
        ("members", "DSVM0004", nested("", "p", ".a", 50_000, "int")),
        ("indices", "DSVM0004", nested("", "p", "[0]", 20_000, "int")),
        ("decisions", "DSVM0004", nested("if true then ", "1", " else 2", 20_000, "int")),
        ("types", "DSVM0004", format!("{PROJECT}param x: {}int{}\n", "[".repeat(20_000), "]".repeat(20_000))),
        (
            "definitions",
            "DSVM0208",
            (0..20_000).fold(PROJECT.to_owned(), |text, n| text + &format!("let a{n} = a{}\n", n + 1))
                + "let a20000 = 1\noutput o: int = a0\n",
        ),
        (
            "definitions in order",
            "DSVM0208",
            (0..20_000).fold(format!("{PROJECT}param x: int = 1\nlet a0 = x\n"), |text, n| {
                text + &format!("let a{} = a{n} - 1\n", n + 1)
            }) + "output o: int = a20000\n",
        ),
        (
            "lists in order",
            "DSVM0208",
            (0..20_000).fold(format!("{PROJECT}let a0 = 1\n"), |text, n| text + &format!("let a{} = [a{n}]\n", n + 1))
                + "output o: any = a20000\n",
        ),
        (
            "a text in many outputs",
            "DSVM0208",
            (0..20_000).fold(format!("{PROJECT}let a = \"{}\"\n", "x".repeat(900_000)), |text, n| {
                text + &format!("output o{n}: string = a\n")
            }),
        ),
        (
            "a text of a parameter in many outputs",
            "DSVM0208",
            (0..20_000).fold(
                format!("{PROJECT}param p: string = \"q\"\nlet a = p + \"{}\"\n", "x".repeat(20_000)),
                |text, n| text + &format!("output o{n}: string = \"${{a}}{n}\"\n"),
            ),
        ),
        (
            "a list in many outputs",
            "DSVM0208",
            (0..20_000).fold(format!("{PROJECT}let l = [n for n in 1..90000]\n"), |text, n| {
                text + &format!("output o{n}: any = l\n")
            }),
        ),
    ]
}

#[cfg(target_os = "linux")]
#[test]
fn numbers_that_nobody_has_are_no_overflow() {
    let text = include_str!("../../../examples/01-shared-pool/main.dsvm");
    for (from, to) in [
        ("machines = 1..max_machines initially 2", "machines = 9223372036854775807"),
        ("remove 1", "remove 9223372036854775807"),
        ("< 25%", "< 79228162514264337593543950335%"),
        ("quota = 1 TiB", "quota = 8191 PiB"),
    ] {
        let cx = TestContext::new();
        assert!(text.contains(from), "{from}");
        cx.write("main.dsvm", &text.replace(from, to));
        let ran = cx.run("check main.dsvm");
        assert!([0, 1].contains(&ran.exit) && !ran.stderr.contains("DSVM0999"), "{to}: {}", ran.text());
    }
}

#[test]
fn what_describes_too_much_is_one_error_in_little_memory() {
    let cx = TestContext::new();
    for (name, code, text) in too_much() {
        cx.write("main.dsvm", &text);
        let done = bounded(&cx, "check main.dsvm");
        holds(name, &done);
        assert!(
            done.exit == 1 && done.text.contains(code),
            "{name}: {}",
            done.text.chars().take(600).collect::<String>()
        );
    }
}

/// The stack of a thread is smaller than that of the process: of the pool that compiles several projects, or of an editor.
#[test]
fn every_thread_has_stack_enough() {
    use crate::catalogue::diagnostics;
    for (name, code, text) in too_much() {
        // Those that use up all steps take long here, where nothing is optimized, and no stack.
        if text.len() > 1 << 20 || name == "functions" || name.contains("product of") || name.ends_with("many outputs")
        {
            continue;
        }
        let found = std::thread::Builder::new().stack_size(2 << 20).spawn(move || diagnostics(&text)).unwrap().join();
        let found = found.unwrap_or_else(|_| panic!("{name} ends the thread"));
        assert!(found.iter().any(|d| d.code.to_string() == code), "{name}: {:?}", found.first());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn several_projects_have_stack_enough_too() {
    let cx = TestContext::new();
    for (n, (_, _, text)) in
        too_much().into_iter().enumerate().filter(|(_, (_, code, text))| *code == "DSVM0004" && text.len() < 1 << 19)
    {
        cx.write(&format!("p{n}/main.dsvm"), &text);
    }
    let done = bounded(&cx, "check .");
    assert_eq!(done.exit, 1, "{}", done.text.chars().take(600).collect::<String>());
}

/// Large, not deep.
#[cfg(target_os = "linux")]
#[test]
fn many_mistakes_and_outputs_are_handled() {
    let many = |line: &dyn Fn(usize) -> String| (0..20_000).fold(PROJECT.to_owned(), |text, n| text + &line(n) + "\n");
    let cases = [
        ("mistakes", many(&|n| format!("output o{n}: int = nope{n}")), "20000 errors"),
        ("mistakes near names", many(&|n| format!("let x{n} = y{n}")), "20000 errors"),
        ("syntax errors", many(&|n| format!("let x{n} = y{n} +")), "errors"),
        ("outputs", many(&|n| format!("output o{n}: int = {n}")), "DSVM0503"),
        ("envs", many(&|n| format!("env e{n} {{ }}")), "no mistakes"),
        ("one long line", format!("{PROJECT}output o: string = \"{}\" + nope\n", "x".repeat(2_000_000)), "1 error"),
    ];
    let cx = TestContext::new();
    for (name, text, says) in cases {
        cx.write("main.dsvm", &text);
        let done = bounded(&cx, "check main.dsvm");
        let start: String = done.text.chars().take(600).collect();
        assert!(done.text.contains(says), "{name}: exit {}: {start}", done.exit);
        assert!(done.text.len() < 200_000, "{name}: {} bytes of messages: {start}", done.text.len());
    }
}
