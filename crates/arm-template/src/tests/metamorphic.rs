//! What must not matter does not: order of keys, comments, names of parameters and variables, case of functions, loops
//! written out, symbolic names, a deployment around the whole.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A small template in words, before it is written in one style or another.
#[derive(Clone, Debug)]
struct Model {
    parameters: Vec<(i64, String)>,
    variables: Vec<String>,
    resources: Vec<Thing>,
}

#[derive(Clone, Debug)]
struct Thing {
    turns: Option<usize>,
    /// `{p0}`, `{v1}`, `{i}` stand for a parameter, a variable and the turn.
    size: String,
    condition: bool,
    after: Vec<usize>,
}

/// How a model is written.
#[derive(Clone, Copy, Debug, Default)]
struct Style {
    reversed: bool,
    noisy: bool,
    renamed: bool,
    upper: bool,
    unrolled: bool,
    symbolic: bool,
    nested: bool,
}

const KIND: &str = "Contoso.Things/widgets";

impl Style {
    fn name(self, kind: char, at: usize) -> String {
        if self.renamed { format!("some other name {kind}{at}") } else { format!("{kind}{at}") }
    }

    fn function(self, name: &str) -> String {
        if self.upper { name.to_uppercase() } else { name.to_owned() }
    }

    /// The text of an expression with what its marks stand for.
    fn expression(self, text: &str, turn: Option<usize>) -> String {
        let mut out = text.to_owned();
        for at in 0..4 {
            out = out
                .replace(&format!("{{p{at}}}"), &format!("{}('{}')", self.function("parameters"), self.name('p', at)));
            out = out
                .replace(&format!("{{v{at}}}"), &format!("{}('{}')", self.function("variables"), self.name('v', at)));
        }
        let index = match turn {
            Some(turn) => turn.to_string(),
            None => format!("{}()", self.function("copyIndex")),
        };
        out = out.replace("{i}", &index);
        for function in ["add", "concat", "string", "length", "createArray", "if", "equals", "mul", "toLower"] {
            out = out.replace(&format!("{function}("), &format!("{}(", self.function(function)));
        }
        format!("[{out}]")
    }

    fn id(self, at: usize, turn: Option<usize>) -> String {
        let name = turn.map_or_else(|| format!("r{at}"), |turn| format!("r{at}-{turn}"));
        format!("[{}('{KIND}', '{name}')]", self.function("resourceId"))
    }

    fn thing(self, model: &Model, at: usize, thing: &Thing, turn: Option<usize>) -> Value {
        let mut after = Vec::new();
        for on in &thing.after {
            match (model.resources[*on].turns, self.unrolled) {
                (Some(turns), true) => after.extend((0..turns).map(|turn| self.id(*on, Some(turn)))),
                (Some(_), false) => after.push(format!("loop{on}")),
                (None, _) => after.push(self.id(*on, None)),
            }
        }
        let name = match (thing.turns, turn) {
            (None, _) => format!("r{at}"),
            (Some(_), Some(turn)) => format!("r{at}-{turn}"),
            (Some(_), None) => self.expression(&format!("concat('r{at}-', {{i}})"), None),
        };
        let mut out = json!({
            "type": KIND, "apiVersion": "2024-01-01", "name": name, "location": "westeurope",
            "condition": self.expression(if thing.condition { "equals(1, 1)" } else { "equals(1, 2)" }, turn),
            "dependsOn": after,
            "properties": { "size": self.expression(&thing.size, turn), "literal": "[[not an expression]", "list": [1, { "b": null, "c": true }] },
        });
        if let (Some(turns), None) = (thing.turns, turn) {
            out["copy"] = json!({ "name": format!("loop{at}"), "count": turns });
        }
        out
    }

    fn write(self, model: &Model) -> String {
        let mut parameters = serde_json::Map::new();
        for (at, (number, text)) in model.parameters.iter().enumerate() {
            let (kind, value) = if at % 2 == 0 { ("int", json!(number)) } else { ("string", json!(text)) };
            parameters.insert(self.name('p', at), json!({ "type": kind, "defaultValue": value }));
        }
        let variables: serde_json::Map<String, Value> = model
            .variables
            .iter()
            .enumerate()
            .map(|(at, text)| (self.name('v', at), json!(self.expression(text, None))))
            .collect();
        let mut things: Vec<(String, Value)> = Vec::new();
        for (at, thing) in model.resources.iter().enumerate() {
            match thing.turns.filter(|_| self.unrolled) {
                Some(turns) => things
                    .extend((0..turns).map(|turn| (format!("s{at}x{turn}"), self.thing(model, at, thing, Some(turn))))),
                None => things.push((format!("loop{at}"), self.thing(model, at, thing, None))),
            }
        }
        let mut template = json!({
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "parameters": parameters, "variables": variables,
            "outputs": { "all": { "type": "string", "value": self.expression("concat('x', string({v1}), string({p1}))", None) } },
        });
        if self.symbolic {
            template["languageVersion"] = json!("2.0");
            template["resources"] = Value::Object(things.into_iter().collect());
        } else {
            template["resources"] = things.into_iter().map(|(_, thing)| thing).collect();
        }
        if self.nested {
            template = json!({
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
                "resources": [{ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "around", "properties": {
                    "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" }, "template": template } }],
            });
        }
        let mut text = String::new();
        self.json(&template, &mut text);
        text
    }

    /// JSON with the members the other way round, or with comments, trailing commas and odd quotes.
    fn json(self, value: &Value, out: &mut String) {
        let gap = if self.noisy { " /* a, b: [ { \" */ \n // \" } ]\n" } else { "" };
        match value {
            Value::Object(map) => {
                let mut members: Vec<_> = map.iter().collect();
                if self.reversed {
                    members.reverse();
                }
                out.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    out.push_str(gap);
                    match self.noisy && key.chars().all(|c| c.is_ascii_alphanumeric()) {
                        true => out.push_str(&format!("'{key}'")),
                        false => out.push_str(&json!(key).to_string()),
                    }
                    out.push(':');
                    self.json(value, out);
                    if self.noisy || at + 1 < members.len() {
                        out.push(',');
                    }
                }
                out.push('}');
            }
            Value::Array(list) => {
                out.push('[');
                for (at, value) in list.iter().enumerate() {
                    out.push_str(gap);
                    self.json(value, out);
                    if self.noisy || at + 1 < list.len() {
                        out.push(',');
                    }
                }
                out.push(']');
            }
            other => out.push_str(&other.to_string()),
        }
    }
}

/// What an expansion means: bodies and dependencies by id, and the output.
fn meaning(text: &str) -> Result<BTreeMap<String, String>, String> {
    let wrong = |errors: Vec<TemplateError>| format!("{errors:?}\n{text}");
    let template = parse(text).map_err(wrong)?;
    let expansion = expand(&template, &Parameters::new(), &place(), &Limits::default()).map_err(wrong)?;
    let mut out = BTreeMap::new();
    for resource in expansion.flat() {
        let mut body = resource.body.clone();
        body.sort_all_objects();
        let mut after = resource.depends_on.clone();
        after.sort();
        out.insert(resource.id.clone(), format!("{body} after {after:?}"));
    }
    let inner = expansion.resources.iter().find_map(|r| r.nested.as_ref()).and_then(|n| n.expansion.as_ref());
    let outputs = &inner.unwrap_or(&expansion).outputs;
    out.insert("outputs".to_owned(), outputs.iter().map(|(name, o)| format!("{name}={}", o.value)).collect());
    Ok(out)
}

fn model() -> impl Strategy<Value = Model> {
    let sizes = proptest::sample::select(vec![
        "{p0}",
        "add({p0}, {v0})",
        "concat('a', {v1}, 'B')",
        "if(equals({p0}, {v0}), 'same', {p1})",
        "createArray({v1}, {p0})",
        "mul(2, {v0})",
    ]);
    let looped = proptest::sample::select(vec![
        "add({i}, {p0})",
        "concat(toLower({p1}), string({i}))",
        "createArray({i}, {v0})",
    ]);
    let thing = (
        proptest::option::of(1usize..4),
        sizes,
        looped,
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(0usize..8, 0..3),
    );
    let parameters = proptest::collection::vec((-5i64..1000, "[a-zA-Z0-9 _.-]{0,6}"), 2..4);
    let variables = proptest::sample::select(vec!["add({p0}, 1)", "length({p1})", "mul({p0}, {p0})"]);
    (parameters, variables, proptest::collection::vec(thing, 1..6)).prop_map(|(parameters, first, things)| Model {
        parameters,
        variables: vec![first.to_owned(), "concat(string({v0}), '-', {p1})".to_owned()],
        resources: things
            .into_iter()
            .enumerate()
            .map(|(at, (turns, size, looped, use_turn, condition, after))| {
                // only earlier ones, each once, and no deployment waits for what is not deployed
                let mut after: Vec<usize> = after.into_iter().filter(|on| *on < at).collect();
                after.sort_unstable();
                after.dedup();
                let size = if turns.is_some() && use_turn { looped } else { size };
                Thing { turns, size: size.to_owned(), condition: condition || at == 0, after }
            })
            .collect(),
    })
}

fn style() -> impl Strategy<Value = Style> {
    any::<[bool; 7]>().prop_map(|[reversed, noisy, renamed, upper, unrolled, symbolic, nested]| Style {
        reversed,
        noisy,
        renamed,
        upper,
        unrolled,
        symbolic,
        nested,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn the_way_it_is_written_does_not_matter(model in model(), style in style()) {
        let plain = Style::default().write(&model);
        let other = style.write(&model);
        let (left, right) = (meaning(&plain), meaning(&other));
        prop_assert!(left.is_ok(), "{left:?}");
        prop_assert_eq!(left, right, "{}", other);
    }
}

#[test]
fn a_model_has_its_resources() {
    let thing = |turns, size: &str, after| Thing { turns, size: size.to_owned(), condition: true, after };
    let model = Model {
        parameters: vec![(3, String::new()), (0, "Ab".to_owned())],
        variables: vec!["add({p0}, 1)".to_owned(), "concat(string({v0}), '-', {p1})".to_owned()],
        resources: vec![thing(Some(2), "add({i}, {p0})", vec![]), thing(None, "concat('a', {v1}, 'B')", vec![0])],
    };
    for style in [
        Style::default(),
        Style { reversed: true, noisy: true, renamed: true, upper: true, unrolled: true, symbolic: true, nested: true },
    ] {
        let found = meaning(&style.write(&model)).unwrap();
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found["outputs"], r#"all="x4-AbAb""#);
        let last = &found["/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myRg/providers/Contoso.Things/widgets/r1"];
        assert!(last.contains(r#""size":"a4-AbB""#) && last.contains("r0-0\", ") && last.contains("r0-1"), "{last}");
    }
}
