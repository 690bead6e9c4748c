//! Looking things up in the table: a kind by its keyword, a field by its name, and what somebody may have meant.

use super::{BlockKind, BlockSpec, FieldSpec};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

static BY_KEYWORD: LazyLock<FxHashMap<&'static str, BlockKind>> =
    // Several kinds can share a keyword; the first is the one that it means by itself.
    LazyLock::new(|| BlockKind::ALL.iter().rev().map(|kind| (kind.keyword(), *kind)).collect());

/// The row of a kind.
#[must_use]
pub const fn spec(kind: BlockKind) -> &'static BlockSpec {
    kind.row()
}

/// The kind that a keyword declares.
#[must_use]
pub fn kind_of(keyword: &str) -> Option<BlockKind> {
    BY_KEYWORD.get(keyword).copied()
}

/// What a class makes of a kind: `pool x: batch` is another kind than `pool x: interactive`.
const CLASSES: &[(BlockKind, &str, BlockKind)] =
    &[(BlockKind::Pool, "interactive", BlockKind::Pool), (BlockKind::Pool, "batch", BlockKind::BatchPool)];

/// What a kind is inside another one.
const INSIDE: &[(BlockKind, BlockKind, BlockKind)] =
    &[(BlockKind::BatchPool, BlockKind::Autoscale, BlockKind::BatchAutoscale)];

/// The classes that a kind can have, in the order of the docs; none for most kinds.
pub fn classes(kind: BlockKind) -> impl Iterator<Item = &'static str> {
    CLASSES.iter().filter(move |(of, _, _)| *of == kind).map(|(_, class, _)| *class)
}

/// What people call a kind that shares its keyword with another one: `pool …: batch`.
#[must_use]
pub fn shown(kind: BlockKind) -> String {
    let inside = INSIDE.iter().find(|(_, _, special)| *special == kind);
    match (CLASSES.iter().find(|(.., special)| *special == kind), inside) {
        (Some((plain, class, _)), _) => format!("{} …: {class}", plain.keyword()),
        (None, Some((outer, plain, _))) => format!("{} of a {}", plain.keyword(), shown(*outer)),
        (None, None) => kind.keyword().to_owned(),
    }
}

/// The kind that a keyword declares with that class (`pool x: batch`) inside that kind of block.
#[must_use]
pub fn kind_in(keyword: &str, class: Option<&str>, around: Option<BlockKind>) -> Option<BlockKind> {
    let plain = kind_of(keyword)?;
    let classed = class.and_then(|class| CLASSES.iter().find(|(of, name, _)| *of == plain && *name == class));
    let inside = around.and_then(|around| INSIDE.iter().find(|(outer, of, _)| *outer == around && *of == plain));
    let special = classed.map(|(_, _, kind)| *kind).or(inside.map(|(_, _, kind)| *kind));
    Some(special.unwrap_or(plain))
}

/// The kinds that can be declared at top level, in the order of the docs.
pub fn kinds_at_top_level() -> impl Iterator<Item = BlockKind> {
    BlockKind::ALL.iter().copied().filter(|kind| spec(*kind).top_level)
}

/// The candidate that was probably meant: the nearest one, when it is near enough to be a slip of the hand.
#[must_use]
pub fn suggest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    let limit = (written.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // Each letter too many or too few is a step: most names are too long or too short to be near.
        if candidate.len().abs_diff(written.len()) > 4 * limit {
            continue;
        }
        let distance = match candidate.to_lowercase() {
            same if same == lower => 0,
            _ if written.chars().count() < 3 => continue,
            other => strsim::osa_distance(&lower, &other),
        };
        let nearer = best.is_none_or(|(d, name)| (distance, candidate) < (d, name));
        if distance <= limit && nearer && candidate != written {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

impl BlockSpec {
    /// The row of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Names of all fields.
    pub fn field_names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.fields.iter().map(|field| field.name)
    }

    /// How often a kind may occur inside this one: `None` never, `Some(0)` any number.
    #[must_use]
    pub fn child(&self, kind: BlockKind) -> Option<u32> {
        self.children.iter().find(|(child, _)| *child == kind).map(|(_, most)| *most)
    }

    /// Type and doc of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
        self.attributes.iter().find(|(attribute, _, _)| *attribute == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_leads_to_its_kind_and_back() {
        for kind in BlockKind::ALL {
            let found = kind_of(kind.keyword()).unwrap();
            let variants: Vec<_> = CLASSES.iter().map(|c| c.2).chain(INSIDE.iter().map(|i| i.2)).collect();
            assert!(found == *kind || variants.contains(kind), "{kind:?}");
        }
        assert_eq!(kind_of("pool"), Some(BlockKind::Pool));
        assert_eq!(kind_in("pool", Some("batch"), None), Some(BlockKind::BatchPool));
        assert_eq!(kind_in("pool", Some("interactive"), None), Some(BlockKind::Pool));
        assert_eq!(kind_in("autoscale", None, Some(BlockKind::BatchPool)), Some(BlockKind::BatchAutoscale));
        assert_eq!(kind_in("autoscale", None, Some(BlockKind::Pool)), Some(BlockKind::Autoscale));
        assert_eq!(classes(BlockKind::Pool).collect::<Vec<_>>(), ["interactive", "batch"]);
        assert_eq!(kind_of("cluster"), None);
    }

    #[test]
    fn the_nearest_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggest("locaton", ["location", "tags"]), Some("location"));
        assert_eq!(suggest("LOCATION", ["location", "tags"]), Some("location"));
        assert_eq!(suggest("region", ["location", "tags"]), None);
        assert_eq!(suggest("x", ["y"]), None);
    }

    #[test]
    fn no_kind_has_two_fields_of_one_name() {
        for row in BlockKind::ALL.iter().map(|kind| spec(*kind)) {
            let mut names = std::collections::BTreeSet::new();
            for field in row.fields {
                assert!(names.insert(field.name), "two fields `{}.{}`", row.kind.keyword(), field.name);
                assert!(!(field.required && field.default.is_some()), "`{}` is required and has a default", field.name);
            }
        }
    }
}
