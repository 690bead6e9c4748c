//! Pools whose bodies need not be made to be checked: so little is written in them that no limit on what is made from it is
//! in reach.

use dsvm_model::pool::Pool;
use dsvm_sema::checked::{Block, Checked, Origin};
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Deploy, Value};

/// Largest weight of a pool and of what it refers to. An expression of its resources stays below 24,576 characters then, and
/// each resource far below 1 MiB; a test makes heavy ones.
const LIGHT: usize = 8_000;
/// Weight of a value, besides its text.
const VALUE: usize = 16;
/// Weight of a reference: about what it takes to write an id.
const REFERENCE: usize = 128;

/// Whether names, tags and dependencies of the pool's resources are all that can be wrong with them.
pub(crate) fn suffices(pool: &Pool<'_>, checked: &Checked) -> bool {
    let mut scale = Scale { checked, room: LIGHT };
    pool.block.children(BlockKind::Override).next().is_none() && scale.block(pool.block, true)
}

/// Takes weights from the room that is left; `false` as soon as one does not fit.
struct Scale<'c> {
    checked: &'c Checked,
    room: usize,
}

impl Scale<'_> {
    fn take(&mut self, weight: usize) -> bool {
        let fits = self.room >= weight;
        self.room = self.room.saturating_sub(weight);
        fits
    }

    /// A block; `follow`: with the blocks of the project that it refers to.
    fn block(&mut self, block: &Block, follow: bool) -> bool {
        self.take(VALUE + block.name.len())
            && block.fields.own().all(|(_, field)| self.value(&field.value, follow))
            && block.children.iter().all(|child| self.block(child, follow))
    }

    fn value(&mut self, value: &Value, follow: bool) -> bool {
        self.take(VALUE)
            && match value {
                Value::String(text) => self.take(text.len()),
                Value::List(items) => items.iter().all(|item| self.value(item, follow)),
                Value::Record(fields) => {
                    fields.iter().all(|(key, field)| self.take(key.len()) && self.value(field, follow))
                }
                Value::Range(range) => [&range.min, &range.max].into_iter().all(|end| self.value(end, follow)),
                Value::Condition(condition) => {
                    self.value(&condition.metric, follow) && self.value(&condition.threshold, follow)
                }
                Value::Ref(id) => self.take(REFERENCE) && (!follow || self.referred(*id)),
                Value::Deferred(deferred) => self.expression(&deferred.expr),
                // Formulas are for batch pools.
                _ => true,
            }
    }

    /// What a pool refers to and takes texts from. From a network it takes the id of a subnet.
    fn referred(&mut self, id: BlockId) -> bool {
        let block = &self.checked[id];
        block.origin == Origin::Library || block.kind == BlockKind::Network || self.block(block, false)
    }

    fn expression(&mut self, expr: &Deploy) -> bool {
        self.take(VALUE)
            && match expr {
                Deploy::Constant(constant) => self.value(constant, false),
                Deploy::Parameter(name) => self.take(name.len()),
                Deploy::Attribute(..) => self.take(REFERENCE),
                Deploy::Call(_, parts) => parts.iter().all(|part| self.expression(part)),
                Deploy::Member(inner, name) => self.take(name.len()) && self.expression(inner),
                Deploy::Index(inner, at) => self.expression(inner) && self.expression(at),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_diagnostics::Sink;

    const HEAD: &str = r#"
import std.images
import std.sizes
project lab { location = westeurope }
param key: ssh_key
param text: string = "x"
param office: cidr = 203.0.113.0/24
vault passwords { access = private_endpoint }
network campus { address = 10.1.0.0/16 }
"#;

    fn pool(shares: &str, parts: &str) -> String {
        format!(
            r#"
pool team: interactive {{
  image = images.ubuntu_2204
  size = sizes.Standard_D8s_v5
  machines = 3
  network = campus
  vault = passwords
  admin {{ name = "dsvmuser", key = key, password_secret = "${{text}}" }}
  shares = [{shares}]
  allow ssh from [203.0.113.0/24, office]
  {parts}
}}
"#
        )
    }

    /// Whether an outline suffices, the longest expression of the whole resources in characters, and the largest resource in
    /// bytes.
    fn measure(program: &str) -> (bool, usize, usize) {
        let mut sink = Sink::default();
        let checked = &dsvm_sema::check_text(program, &mut sink);
        let fleet = dsvm_model::build(checked, jiff::civil::date(2026, 11, 23), &mut sink);
        let titles: Vec<_> = sink.as_slice().iter().map(|found| (&found.title, found.severity)).collect();
        assert!(!sink.has_errors(), "{titles:?}");
        let light = fleet.pools.iter().all(|pool| suffices(pool, checked));
        let graph = crate::build(&fleet, checked, &mut sink);
        let (mut longest, mut largest) = (0, 0);
        for node in graph.nodes.iter().filter(|node| node.pool.is_some()) {
            let mut bytes = 0;
            for value in node.body.values() {
                value.texts(&mut |text| {
                    bytes += text.len() + 16;
                    longest = longest.max(if text.starts_with('[') { text.len() } else { 0 });
                });
            }
            largest = largest.max(bytes);
        }
        (light, longest, largest)
    }

    #[test]
    fn the_heaviest_pool_with_an_outline_is_far_from_the_limits() {
        let names = |n: usize| (0..n).map(|i| format!("s{i}")).collect::<Vec<_>>().join(", ");
        let many = |n: usize, make: &dyn Fn(usize) -> String| (0..n).map(make).collect::<String>();
        let kinds: [(&str, &dyn Fn(usize) -> String); 6] = [
            ("shares", &|n| {
                let shares = many(n, &|i| format!("share s{i} {{ quota = 1 TiB, mount = \"/s{i}\" }}\n"));
                shares + &pool(&names(n), "")
            }),
            ("shares by key", &|n| {
                let share = |i| {
                    format!(
                        "share s{i} {{ quota = 1 TiB, mount = \"/s{i}\", auth = key_vault, vault = passwords\n link \"~/d{i}\" to \"d/{{user}}\" }}\n"
                    )
                };
                many(n, &share) + &pool(&names(n), "")
            }),
            ("users", &|n| pool("", &many(n, &|i| format!("user u{i} {{ uid = 3{i:03}, key = key }}\n")))),
            ("users with passwords", &|n| {
                pool(
                    "",
                    &many(n, &|i| {
                        format!("user u{i} {{ uid = 3{i:03}, key = key, password_secret = \"${{text}}${{text}}\" }}\n")
                    }),
                )
            }),
            ("steps", &|n| {
                let steps = many(n, &|i| format!("step s{i} {{ run = \"echo ${{text}} ${{text}} ${{text}}\" }}\n"));
                pool("", &format!("setup {{ {steps} }}"))
            }),
            ("doors", &|n| pool("", &many(n, &|i| format!("allow ssh from [10.0.{i}.0/24, office]\n")))),
        ];
        for (what, make) in kinds {
            let mut n = 1;
            let mut last = None;
            while n < 400 {
                let (light, longest, largest) = measure(&format!("{HEAD}{}", make(n)));
                if !light {
                    break;
                }
                last = Some((n, longest, largest));
                n += 1 + n / 8;
            }
            let (n, longest, largest) = last.unwrap_or_else(|| panic!("{what}: one is too heavy"));
            println!("{what}: {n}, expression of {longest}, resource of {largest}");
            assert!(
                longest < 12_000 && largest < 200_000,
                "{what}: {n}, expression of {longest}, resource of {largest}"
            );
        }
    }
}
