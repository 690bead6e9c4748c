//! `docs/stdlib.md` is what the library says: written from its files (`DSVMC_BLESS=1` writes it).

use crate::stdlib::{Fact, Plain, facts};
use dsvm_sema::table::spec;
use std::fmt::Write as _;

/// A module: its name, what it is for, and its columns as heading and field; several fields share a column with `+`.
type Section = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const SECTIONS: &[Section] = &[
    (
        "images",
        "Images that machines start from. `gone` and `deprecated` ones are there so that an old name is understood and its successor told.",
        &[
            ("image", "*"),
            ("publisher : offer : sku", "publisher+offer+sku"),
            ("system", "os_name"),
            ("gen.", "generation"),
            ("processor", "architecture"),
            ("serves", "serves"),
            ("drivers", "drivers"),
            ("Batch agent", "node_agent"),
            ("agent until", "node_agent_until"),
            ("state", "state"),
            ("successor", "retirement.successor"),
            ("sure", "sure"),
        ],
    ),
    (
        "sizes",
        "Sizes of machine. The name has `_` where Azure's has a hyphen. `smallest(gpu >= 1 of A100, memory >= 200 GiB)` chooses one by need.",
        &[
            ("size", "*"),
            ("vCPU", "vcpu"),
            ("memory", "memory"),
            ("GPU", "gpu_share|gpu+gpu_model"),
            ("each", "gpu_memory"),
            ("temporary disk", "temp_disk"),
            ("kind", "temp_disk_kind"),
            ("gen.", "generations"),
            ("ephemeral OS disk", "ephemeral"),
            ("spot", "spot"),
            ("Mbit/s", "network"),
            ("quota family", "family"),
            ("frozen since", "retirement.growth_restricted"),
            ("ends", "retirement.retired"),
        ],
    ),
    (
        "roles",
        "Built-in roles, for `grant … on …`.",
        &[("role", "*"), ("name in Azure", "name"), ("GUID", "id"), ("allows", "allows"), ("privileged", "privileged")],
    ),
    (
        "regions",
        "Regions of the public cloud, for `location`.",
        &[
            ("region", "*"),
            ("name", "display"),
            ("geography", "geography"),
            ("zones", "zones"),
            ("pair", "paired"),
            ("restricted", "restricted"),
            ("sure", "sure"),
        ],
    ),
    (
        "metrics",
        "Measurements for autoscale rules. There is none for memory: a scale set has no such metric. `at zero`: it exists while the pool has no machine, so it can wake the pool.",
        &[
            ("metric", "*"),
            ("name in Azure", "name"),
            ("of", "of"),
            ("unit", "unit"),
            ("kind", "kind"),
            ("at zero", "at_zero"),
            ("sure", "sure"),
        ],
    ),
    (
        "timezones",
        "Time zones by the names that autoscale knows, for `timezone`. The name itself works too: `timezone = \"Korea Standard Time\"`.",
        &[("time zone", "*"), ("name in Azure", "name"), ("UTC", "offset"), ("IANA", "iana"), ("sure", "sure")],
    ),
    (
        "ports",
        "Ports that pools serve, that machines need, and that Azure keeps for itself.",
        &[
            ("port", "*"),
            ("number", "number"),
            ("to", "to"),
            ("transport", "transport"),
            ("direction", "direction"),
            ("use", "use"),
            ("sure", "sure"),
        ],
    ),
];

fn shown(value: &Plain) -> String {
    match value {
        Plain::Number(n) => n.to_string(),
        Plain::Quantity(n, unit) if unit == "%" => format!("{n}%"),
        Plain::Quantity(n, unit) => format!("{n} {unit}"),
        Plain::Text(text) | Plain::Word(text) => text.clone(),
        Plain::List(all) => all.iter().map(shown).collect::<Vec<_>>().join(", "),
        Plain::Other => String::new(),
    }
}

fn cell(fact: &Fact, column: &str) -> String {
    if column == "*" {
        return format!("`{}`", fact.name);
    }
    // Few defaults of the table are worth a word.
    let default = |name: &str| match name {
        "architecture" | "transport" | "of" => {
            spec(fact.kind).field(name).and_then(|row| row.default).map(str::to_owned)
        }
        "serves" => Some("ssh".to_owned()),
        _ => None,
    };
    let field = |name: &str| fact.fields.get(name).map(shown).or_else(|| default(name));
    // `a|b`: the first that is there; `a+b`: all of them.
    let parts: Vec<String> =
        column.split('+').filter_map(|part| part.split('|').find_map(field)).filter(|text| !text.is_empty()).collect();
    let joint = if column.starts_with("publisher") { ":" } else { " " };
    match column {
        "id" | "node_agent" | "family" if !parts.is_empty() => format!("`{}`", parts.join(joint)),
        _ if column.starts_with("publisher") => format!("`{}`", parts.join(joint)),
        _ => parts.join(joint),
    }
}

fn document() -> String {
    let mut out = String::from(
        "# The standard library\n\n\
         Facts about Azure in the language itself: `import std.images`, then `images.ubuntu_2204`. A team declares what is \
         missing in its own files with the same words (`size`, `image`, `role`, …).\n\n\
         Each fact has a `source`, the day `as_of` which it held, and how `sure` it is: A, read in a primary source; B, in \
         a secondary one, or deduced; C, common knowledge that nobody looked up. They are in the files of `stdlib/`, \
         together with notes; the tables below are made from those files.\n\n\
         | module | what |\n|---|---|\n",
    );
    for (module, about, _) in SECTIONS {
        let first = about.split(". ").next().unwrap_or(about).trim_end_matches('.');
        let _ = writeln!(out, "| [`std.{module}`](#std{module}) | {first} |");
    }
    out.push_str("| [`std.schedules`](#stdschedules) | Autoscale policies to use or to copy |\n");
    for (module, about, columns) in SECTIONS {
        let facts = facts(module);
        let _ = write!(out, "\n## std.{module}\n\n{about} {} in all.\n\n", facts.len());
        let heads: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
        let _ = writeln!(out, "| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()));
        for fact in &facts {
            let cells: Vec<String> = columns.iter().map(|(_, column)| cell(fact, column).replace('|', "\\|")).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
    }
    out.push_str(
        "\n## std.schedules\n\nAutoscale policies: `autoscale = schedules.office_hours`, or a start to copy from.\n\n",
    );
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib/schedules.dsvm")).unwrap();
    let _ = write!(out, "```dsvm library\n{}```\n", text);
    out
}

#[test]
fn the_document_is_what_the_library_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/stdlib.md");
    let wanted = document();
    if std::env::var_os("DSVMC_BLESS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "docs/stdlib.md is old: run with DSVMC_BLESS=1");
}
