//! The standard library: every file is understood, every fact says where it comes from, and the sizes agree with a
//! fixture that was written down independently.

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use dsvm_sema::table::{BlockKind, FieldType, kind_of, spec};
use dsvm_syntax::ast::{Block, Entry, Expr, ExprKind, HeadPart, ItemKind, StringPart};
use std::collections::{BTreeMap, BTreeSet};

/// A field's value, as far as facts need one.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain {
    Number(f64),
    /// Number and unit as written: `(1.0, "TiB")`.
    Quantity(f64, String),
    Text(String),
    Word(String),
    List(Vec<Plain>),
    Other,
}

fn plain(expr: &Expr) -> Plain {
    match &expr.kind {
        ExprKind::Int(n) | ExprKind::Decimal(n) => Plain::Number(n.replace('_', "").parse().unwrap()),
        ExprKind::Quantity(n, unit) => Plain::Quantity(n.parse().unwrap(), unit.value.to_string()),
        ExprKind::String(parts) => Plain::Text(parts.iter().map(text).collect()),
        ExprKind::Name(name) => Plain::Word(name.to_string()),
        ExprKind::Bool(b) => Plain::Word(b.to_string()),
        ExprKind::Date(text) | ExprKind::Cidr(text) => Plain::Text(text.to_string()),
        ExprKind::List(all) => Plain::List(all.iter().map(plain).collect()),
        _ => Plain::Other,
    }
}

fn text(part: &StringPart) -> String {
    match part {
        StringPart::Text(text) => text.to_string(),
        StringPart::Value(_) => panic!("facts hold no interpolation"),
    }
}

/// One fact: its kind, name and fields; fields of a nested block as `retirement.retired`.
#[derive(Debug)]
pub struct Fact {
    /// Kind of the block: size, image, region, ….
    pub kind: BlockKind,
    /// The word behind the keyword, as `Standard_D4s_v5`.
    pub name: String,
    /// Values by the name of the field.
    pub fields: BTreeMap<String, Plain>,
}

impl Fact {
    fn text(&self, field: &str) -> Option<&str> {
        match self.fields.get(field)? {
            Plain::Text(text) | Plain::Word(text) => Some(text),
            other => panic!("{}.{field} is {other:?}", self.name),
        }
    }

    fn number(&self, field: &str) -> f64 {
        match self.fields.get(field) {
            Some(Plain::Number(n)) => *n,
            None => 0.0,
            other => panic!("{}.{field} is {other:?}", self.name),
        }
    }

    fn gib(&self, field: &str) -> f64 {
        match self.fields.get(field) {
            Some(Plain::Quantity(n, unit)) if unit == "GiB" => *n,
            None => 0.0,
            other => panic!("{}.{field} is {other:?}", self.name),
        }
    }

    fn words(&self, field: &str) -> Vec<String> {
        let Some(Plain::List(all)) = self.fields.get(field) else { return Vec::new() };
        all.iter()
            .map(|p| match p {
                Plain::Word(w) => w.clone(),
                Plain::Number(n) => n.to_string(),
                other => panic!("{}.{field} holds {other:?}", self.name),
            })
            .collect()
    }
}

fn module(name: &str) -> Vec<Block> {
    let path = format!("{}/stdlib/{name}.dsvm", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(&path).unwrap();
    let mut sink = Sink::default();
    let file = dsvm_syntax::parse(SourceId::file(0), &source, &mut sink);
    assert!(sink.as_slice().is_empty(), "{name}: {:?}", sink.as_slice());
    let mut blocks = Vec::new();
    for item in file.items {
        match item.kind {
            ItemKind::Block(block) => {
                assert!(item.export.is_some(), "{name}: everything is exported");
                blocks.push(*block);
            }
            ItemKind::Import(_) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
    blocks
}

/// Reads a block; every field must be one of the table's, and of a shape that its type allows.
fn fact(block: &Block) -> Fact {
    let kind = kind_of(&block.keyword.value).unwrap_or_else(|| panic!("`{}`", block.keyword.value));
    let name = match block.head.first() {
        Some(
            HeadPart::Expr(Expr { kind: ExprKind::Name(name), .. })
            | HeadPart::Word(dsvm_diagnostics::source::Spanned { value: name, .. }),
        ) => name.to_string(),
        _ => String::new(),
    };
    let mut fact = Fact { kind, name, fields: BTreeMap::new() };
    for entry in block.body.iter().flat_map(|b| &b.entries) {
        match entry {
            Entry::Field(field) => {
                let row = spec(kind).field(&field.name.value);
                let row = row.unwrap_or_else(|| panic!("{}.{}", fact.name, field.name.value));
                let value = plain(&field.value);
                if let (FieldType::OneOf(words), Plain::Word(word)) = (row.ty, &value) {
                    assert!(words.contains(&word.as_str()), "{}.{} = {word}", fact.name, row.name);
                }
                assert_ne!(value, Plain::Other, "{}.{}", fact.name, row.name);
                assert!(fact.fields.insert(row.name.to_owned(), value).is_none(), "{}.{} twice", fact.name, row.name);
            }
            Entry::Block(inner) => {
                let inner = self::fact(inner);
                assert!(spec(kind).child(inner.kind).is_some(), "{}: `{}`", fact.name, inner.kind.keyword());
                let prefix = inner.kind.keyword();
                fact.fields.extend(inner.fields.into_iter().map(|(k, v)| (format!("{prefix}.{k}"), v)));
            }
        }
    }
    for row in spec(kind).fields.iter().filter(|r| r.required) {
        assert!(fact.fields.contains_key(row.name), "{} lacks `{}`", fact.name, row.name);
    }
    fact
}

/// All facts of a module, in the order of the file.
pub fn facts(name: &str) -> Vec<Fact> {
    let all: Vec<Fact> = module(name).iter().map(fact).collect();
    let names: BTreeSet<&str> = all.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "{name}: a name is there twice");
    all
}

const FACTS: &[&str] = &["images", "sizes", "roles", "regions", "metrics", "timezones", "ports"];

#[test]
fn every_fact_has_source_date_and_certainty() {
    let mut count = 0;
    for module in FACTS {
        for fact in facts(module) {
            assert!(fact.text("source").is_some_and(|s| s.len() > 5), "{module}.{}", fact.name);
            let as_of: jiff::civil::Date = fact.text("as_of").unwrap().parse().unwrap();
            assert!(as_of.year() >= 2018 && as_of.year() <= 2026, "{module}.{}", fact.name);
            assert!(matches!(fact.text("sure"), Some("A" | "B" | "C")), "{module}.{}", fact.name);
            count += 1;
        }
    }
    assert!(count > 450, "{count}");
}

#[test]
fn sizes_agree_with_the_fixture() {
    let sizes: BTreeMap<String, Fact> =
        facts("sizes").into_iter().map(|f| (f.text("name").unwrap_or(&f.name).to_owned(), f)).collect();
    let fixture = include_str!("../fixtures/sizes.csv");
    let mut seen = 0;
    for line in fixture.lines().filter(|l| !l.starts_with('#')) {
        let row: Vec<&str> = line.split('|').collect();
        let [
            name,
            vcpu,
            memory,
            disk,
            data,
            nics,
            net,
            accelerated,
            generations,
            ephemeral,
            spot,
            gpu,
            gpus,
            gpu_memory,
            family,
            series,
        ] = row[..]
        else {
            panic!("{line}")
        };
        let size = sizes.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        let number = |text: &str| text.split_whitespace().next().unwrap_or("0").parse::<f64>().unwrap();
        assert_eq!(size.name, name.replace('-', "_"), "{name}");
        assert_eq!(size.number("vcpu"), number(vcpu), "{name}");
        assert_eq!(size.gib("memory"), number(memory), "{name}");
        assert_eq!(size.number("data_disks"), number(data), "{name}");
        assert_eq!(size.number("nics"), number(nics), "{name}");
        assert_eq!(size.number("network"), number(net), "{name}");
        let accelerated = if accelerated == "y" { "yes" } else { accelerated };
        assert_eq!(size.text("accelerated_networking").unwrap_or("no"), accelerated, "{name}");
        assert_eq!(size.words("generations").join(","), generations, "{name}");
        assert_eq!(size.words("ephemeral").is_empty(), ephemeral == "n", "{name}");
        assert_eq!(size.words("ephemeral") == ["nvme_disk"], ephemeral.contains("NvmeDisk"), "{name}");
        let spot = match spot {
            "Y" | "p" | "f" => "yes",
            "?" => "unknown",
            _ => "no",
        };
        assert_eq!(size.text("spot"), Some(spot), "{name}");
        assert_eq!(size.text("family"), Some(family), "{name}");
        assert_eq!(size.text("series"), Some(series.trim_end_matches(" (End of Life)")), "{name}");
        // `4x440 NVMe` is four disks; anything else begins with its GiB.
        let disk_gib = match disk.split_once('x').filter(|_| disk.ends_with("NVMe")) {
            Some((count, each)) => number(count) * number(each),
            None => number(disk),
        };
        assert_eq!(size.gib("temp_disk"), disk_gib, "{name}");
        let share = match gpus.split_once('/') {
            Some((part, whole)) => number(part) / number(whole),
            None => number(if gpus.is_empty() { "0" } else { gpus }),
        };
        assert!((size.number("gpu") - share).abs() < 0.0001, "{name}: {} GPUs", size.number("gpu"));
        assert_eq!(size.gib("gpu_memory"), number(if gpu_memory.is_empty() { "0" } else { gpu_memory }), "{name}");
        assert_eq!(size.text("gpu_share").unwrap_or_default(), if gpus.contains('/') { gpus } else { "" }, "{name}");
        assert_eq!(size.text("gpu_model").is_some(), !gpu.is_empty(), "{name}");
        assert!(gpu.contains(size.text("gpu_model").unwrap_or_default()), "{name}");
        assert_eq!(size.text("retirement.retired").is_some(), series.contains("End of Life"), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 183);
    // The rest are sizes that have ended, kept for their successors.
    let rest: Vec<&Fact> =
        sizes.values().filter(|s| !fixture.contains(&format!("\n{}|", s.text("name").unwrap_or(&s.name)))).collect();
    assert_eq!(rest.len(), sizes.len() - seen);
    for size in rest {
        assert!(size.text("retirement.retired").is_some(), "{}", size.name);
    }
}

#[test]
fn role_guids_are_valid_and_unique() {
    let roles = facts("roles");
    let mut ids = BTreeSet::new();
    let mut names = BTreeSet::new();
    for role in &roles {
        let id = role.text("id").unwrap();
        let parsed = uuid::Uuid::parse_str(id).unwrap_or_else(|_| panic!("{}: {id}", role.name));
        assert_eq!(parsed.hyphenated().to_string(), id, "{}", role.name);
        assert!(ids.insert(id.to_owned()), "{}: {id} is there twice", role.name);
        assert!(names.insert(role.text("name").unwrap().to_owned()), "{}", role.name);
        assert!(role.text("allows").is_some_and(|a| a.ends_with('.')), "{}", role.name);
    }
    assert!(roles.len() >= 50, "{}", roles.len());
}

#[test]
fn successors_exist_and_have_not_ended_themselves() {
    for module in ["images", "sizes"] {
        let all = facts(module);
        for fact in &all {
            let Some(next) = fact.text("retirement.successor") else {
                assert!(!fact.fields.contains_key("retirement.retired"), "{} has no successor", fact.name);
                continue;
            };
            let next = all.iter().find(|f| f.name == next).unwrap_or_else(|| panic!("{}: {next}", fact.name));
            assert!(!matches!(next.text("state"), Some("gone" | "deprecated")), "{}", fact.name);
            assert!(!next.fields.contains_key("retirement.retired"), "{}", fact.name);
        }
    }
}

#[test]
fn dates_of_an_end_are_in_order() {
    for fact in facts("images").iter().chain(&facts("sizes")) {
        let dates: Vec<jiff::civil::Date> = ["announced", "growth_restricted", "retired"]
            .iter()
            .filter_map(|f| fact.text(&format!("retirement.{f}")))
            .map(|d| d.parse().unwrap())
            .collect();
        assert!(dates.is_sorted(), "{}: {dates:?}", fact.name);
    }
}

#[test]
fn an_image_has_a_plan_exactly_when_it_is_known_to() {
    let images = facts("images");
    let with_plan: Vec<&str> =
        images.iter().filter(|f| f.fields.contains_key("plan.name")).map(|f| f.name.as_str()).collect();
    assert_eq!(with_plan, ["legacy_ads"]);
    for image in &images {
        for field in ["publisher", "offer", "sku"] {
            assert!(image.text(field).is_some(), "{} lacks `{field}`", image.name);
        }
        let gone = matches!(image.text("state"), Some("gone" | "deprecated"));
        assert_eq!(gone, image.fields.contains_key("retirement.successor"), "{}", image.name);
    }
}

#[test]
fn pairs_of_regions_exist() {
    let regions = facts("regions");
    let names: BTreeSet<&str> = regions.iter().map(|f| f.name.as_str()).collect();
    for region in &regions {
        assert!(region.text("paired").is_none_or(|p| names.contains(p)), "{}", region.name);
        let display = region.text("display").unwrap().to_ascii_lowercase().replace(' ', "");
        assert_eq!(display, region.name, "the name is the display name without blanks");
    }
    for name in ["westus2", "westeurope", "koreacentral", "southcentralus", "usgovvirginia", "chinanorth3"] {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn time_zones_are_those_of_autoscale() {
    let zones = facts("timezones");
    let names: BTreeSet<&str> = zones.iter().map(|f| f.text("name").unwrap()).collect();
    assert_eq!(names.len(), zones.len());
    assert!(zones.len() >= 135, "{}", zones.len());
    for name in ["UTC", "Pacific Standard Time", "Korea Standard Time", "W. Europe Standard Time", "UTC+12"] {
        assert!(names.contains(name), "{name}");
    }
    for zone in &zones {
        let offset = zone.text("offset").unwrap();
        let (hours, minutes) = offset[1..].split_once(':').unwrap();
        assert!(matches!(&offset[..1], "+" | "-") && hours.parse::<u8>().unwrap() <= 14, "{}", zone.name);
        assert!(matches!(minutes, "00" | "30" | "45"), "{}", zone.name);
    }
}

#[test]
fn only_metrics_of_other_things_wake_a_pool() {
    for metric in facts("metrics") {
        let own = matches!(metric.text("of").unwrap_or("scale_set"), "scale_set");
        assert!(!own || metric.text("at_zero").is_none(), "{} does not exist at zero machines", metric.name);
        assert!(!metric.text("name").unwrap().to_lowercase().contains("memory"), "a scale set has no such metric");
    }
}
