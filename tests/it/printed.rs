//! What reaches a terminal or the log of a CI system, whatever a source, a file name, a template or a service holds: nothing
//! hidden, no colour but our own, no command of the CI system.

use crate::cloud::gate::{Gate, Verdict};
use crate::support::{Ran, TestContext};
use arm_local::SUBSCRIPTION;
use serde_json::{Value, json};

/// A title of the window, a cleared screen, a foreign colour, an eight-bit control, a reversed order, nothing visible, a tag,
/// and commands of two CI systems.
const HOSTILE: &str = "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[38;5;9m\u{9b}31m\u{202e}\u{2066}\u{200b}\u{ad}\u{e0041}\u{8}\r\n::error file=a::x\n  ##[error]y\n##vso[task.setvariable variable=a]b";
/// The same without line ends, as it can stand in a name or on one line of a source.
const ON_ONE_LINE: &str = "::stop-commands::t\u{1b}[2J\u{1b}[38;5;9m\u{9b}31m\u{200b}\u{ad}\u{e0041}##[error]##vso[a]b";

/// What is wrong with a text that was printed.
fn harmful(text: &str) -> Option<String> {
    // Our own colours, and nothing else that begins with an escape character.
    let mut plain = text.to_owned();
    for number in ["0", "1", "31", "32", "33", "34", "35", "36", "90"] {
        plain = plain.replace(&format!("\u{1b}[{number}m"), "");
    }
    let hidden = |c: &char| !matches!(c, '\n' | '\t') && dsvmc::render::visible::is_hidden(*c);
    if let Some(c) = plain.chars().find(hidden) {
        return Some(format!("U+{:04X}", u32::from(c)));
    }
    let lines: Vec<&str> = plain.lines().chain(text.lines()).collect();
    let command = lines.iter().find(|line| {
        line.trim_start().starts_with("::") || line.contains("##[") || line.to_lowercase().contains("##vso[")
    });
    command.map(|line| format!("a command: {line}"))
}

fn check(ran: &Ran, what: &str) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if let Some(harm) = harmful(text) {
            panic!("{what}: {stream} has {harm}\n{}", ran.text().escape_debug());
        }
    }
}

/// Runs it with and without colours; the hostile word must be there in some form, else nothing was tested.
fn both(cx: &TestContext, arguments: &[&str], word: &str) -> Ran {
    let mut last = None;
    for color in ["never", "always"] {
        let output = cx.command("").args(arguments).args(["--color", color]).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran =
            Ran { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        check(&ran, &format!("{arguments:?} in colour: {color}"));
        assert!(ran.text().contains(word), "{arguments:?}: {}", ran.text());
        last = Some(ran);
    }
    last.unwrap()
}

#[test]
fn the_check_itself_sees_harm() {
    for text in ["a\u{1b}[2J", "\u{202e}", "\u{9b}", "a\n  ::error::x", "x ##[error]", "\u{1b}[1m::error::"] {
        assert!(harmful(text).is_some(), "{}", text.escape_debug());
    }
    assert!(harmful("\u{1b}[1m\u{1b}[31merror\u{1b}[0m: a::b\n\tc\n").is_none());
    assert!(harmful(HOSTILE).is_some() && harmful(ON_ONE_LINE).is_some());
}

#[test]
fn sources_and_their_names_stay_text() {
    let cx = TestContext::new();
    let name = "a\u{1b}[2J\u{202e}\n::error::x.dsvm";
    let source = format!(
        "project marked {{ location = westeurope }}\n// {ON_ONE_LINE}\noutput o: string = \"{ON_ONE_LINE}\" + unknown_one\noutput p: string = \"\"\"\n{}\n\"\"\" + unknown_two\n",
        HOSTILE.replace(['\u{202e}', '\u{2066}'], "")
    );
    cx.write(name, &source);
    for format in ["human", "short", "json", "sarif", "markdown"] {
        let ran = both(&cx, &["check", name, "--format", format], "unknown_one");
        assert_eq!(ran.exit, 1, "{}", ran.text());
        if matches!(format, "json" | "sarif") {
            serde_json::from_str::<Value>(&ran.stdout).unwrap();
        }
    }
    // A file that cannot be read, an option that does not exist, a difference of the formatter.
    both(&cx, &["check", "gone\u{1b}[2J\n::error::x.dsvm"], "gone");
    both(&cx, &["check", "--gone\u{1b}[2J\n::error::x"], "gone");
    both(&cx, &["gone\u{1b}[2J\n::error::x"], "gone");
    cx.write("b.dsvm", &format!("project   marked {{ location = westeurope }}\n//   {ON_ONE_LINE}\n"));
    both(&cx, &["fmt", "--check", "b.dsvm"], "b.dsvm");
}

#[test]
fn the_place_of_an_error_is_right_after_hidden_characters() {
    let cx = TestContext::new();
    cx.write("a.dsvm", "project p { location = westeurope }\noutput o: string = \"\u{1b}[2J\u{ad}é\" + nope\n");
    let ran = cx.run("check a.dsvm");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let at = lines.iter().position(|line| line.contains("+ nope")).unwrap();
    let column = |line: &str, what: &str| line.find(what).map(|byte| line[..byte].chars().count());
    assert!(lines[at].contains("\\u{1b}[2J\\u{ad}é"), "{}", ran.stderr);
    assert_eq!(column(lines[at], "nope"), column(lines[at + 1], "^"), "{}", ran.stderr);
    assert!(lines[at + 1].contains("^^^^"), "{}", ran.stderr);
}

fn template() -> Value {
    let name = ON_ONE_LINE;
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": { name: { "type": "string", "defaultValue": HOSTILE, "metadata": { "description": HOSTILE } } },
        "resources": [{
            "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2024-05-01", "name": "marked", "location": "westeurope",
            "tags": { name: HOSTILE }, "properties": { "publicIPAllocationMethod": "Static", "dnsSettings": { name: HOSTILE } },
        }],
        "outputs": { name: { "type": "string", "value": HOSTILE } },
    })
}

#[test]
fn templates_and_plans_stay_text() {
    let cx = TestContext::new();
    cx.write("marked.json", &template().to_string());
    for format in ["human", "json", "markdown", "sarif"] {
        for more in [&["--raw"][..], &["--resources"][..], &[][..]] {
            let arguments = [&["plan", "--template", "marked.json", "-g", "g", "--format", format], more].concat();
            let ran = both(&cx, &arguments, "marked");
            if matches!(format, "json" | "sarif") {
                serde_json::from_str::<Value>(&ran.stdout).unwrap();
            }
        }
    }
    let ran = both(&cx, &["expand", "marked.json"], "marked");
    // The escapes of JSON are those of the same document.
    let expanded = serde_json::from_str::<Value>(&ran.stdout).unwrap().to_string();
    assert!(expanded.contains(&json!(HOSTILE).to_string()), "{expanded}");
    for broken in [
        json!({ "resources": [{ "type": HOSTILE, "apiVersion": HOSTILE, "name": format!("[fail('{HOSTILE}')]") }] }),
        json!({ "resources": [{ "type": "A.B/c", "apiVersion": "1", "name": format!("[nope_{ON_ONE_LINE}()]") }] }),
        json!({ "parameters": { HOSTILE: { "type": "string" } }, "resources": [] }),
        json!({ "outputs": { HOSTILE: { "type": HOSTILE, "value": "[parameters('x')]" } }, "resources": [] }),
    ] {
        cx.write("marked.json", &broken.to_string());
        both(&cx, &["expand", "marked.json"], "error");
        both(&cx, &["expand", "marked.json", "--format", "json"], "DSVM");
        both(&cx, &["plan", "--template", "marked.json", "-g", "g"], "error");
    }
}

#[test]
fn applied_outputs_stay_text() {
    let cx = TestContext::new();
    let mut template = template();
    // What the service refuses would leave nothing to show.
    template["resources"][0]["tags"] = json!({ "a": ON_ONE_LINE });
    template["resources"][0]["properties"] = json!({ "publicIPAllocationMethod": "Static" });
    cx.write("marked.json", &template.to_string());
    let applied =
        both(&cx, &["apply", "--template", "marked.json", "-g", "g", "--location", "westeurope", "--yes"], "arked");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    for format in ["human", "json"] {
        both(&cx, &["plan", "--template", "marked.json", "-g", "g", "--format", format], "");
        both(&cx, &["status", "--template", "marked.json", "-g", "g", "--format", format], "");
        both(&cx, &["outputs", "--template", "marked.json", "-g", "g", "--format", format], "");
    }
    let named = &["outputs", "--template", "marked.json", "-g", "g", ON_ONE_LINE];
    both(&cx, named, "title");
}

#[test]
fn answers_of_a_service_stay_text() {
    let cx = TestContext::new();
    cx.write("t.json", &json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": [],
    }).to_string());
    let gate = Gate::new(9, false);
    let identity = format!("{}/identity", gate.url);
    let error = json!({ "error": {
        "code": format!("Marked{ON_ONE_LINE}"), "message": format!("marked {HOSTILE}"), "target": HOSTILE,
        "details": [{ "code": "Inner", "message": format!("marked {HOSTILE}") }],
    }})
    .to_string();
    let error: &'static str = Box::leak(error.into_boxed_str());
    for status in [400, 403, 409, 500] {
        gate.rule(move |_| Verdict::Answer(status, error));
        for command in ["plan", "apply", "status", "doctor"] {
            let more = if command == "apply" { " --yes" } else { "" };
            let input = if command == "doctor" { "" } else { "--template t.json -g g --location westeurope" };
            for format in ["human", "json"] {
                let line = format!(
                    "{command} {input} --target azure --cloud {} --subscription {SUBSCRIPTION} --tries 1 --trace --format {format}{more}",
                    gate.url
                );
                let mut asked = cx.command(&line);
                let output = asked.env("IDENTITY_ENDPOINT", &identity).env("IDENTITY_HEADER", "x").output().unwrap();
                let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
                let ran = Ran {
                    exit: output.status.code().unwrap(),
                    stdout: text(output.stdout),
                    stderr: text(output.stderr),
                };
                check(&ran, &line);
                assert!(ran.exit != 0 && ran.text().contains("arked"), "{line}: {}", ran.text());
            }
        }
    }
}
