//! The sizes of a pool in order of preference, held against each other: whatever runs on the first must run on each of them.

use super::facts::{NetworkAcceleration, Size};
use super::pool::{Orchestration, OsDisk};
use super::{Context, diags};
use crate::units::size as in_words;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::facts as rows;
use dsvm_sema::table::types::{ListOf, Ref};

/// What takes the place of the first size when Azure has none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// There is one size only.
    None,
    /// The set itself holds machines of several sizes, by rank: an instance mix.
    Mix,
    /// `apply` deploys with the next size when Azure refuses one, because of this.
    Apply(String),
}

/// The sizes of a pool: the first one and its alternatives.
#[derive(Clone, Debug)]
pub struct Sizes<'a> {
    /// What is wanted most.
    pub first: Size<'a>,
    /// The alternatives, in order.
    pub others: Vec<Size<'a>>,
}

impl<'a> Sizes<'a> {
    /// Reads the sizes of a field; nothing when the first was refused.
    pub(crate) fn read(cx: Context<'a, '_>, list: ListOf<'a, Ref<rows::Size>>) -> Option<Self> {
        let mut all = list.iter().map(|size| Size(cx.checked.view(size)));
        Some(Self { first: all.next()?, others: all.collect() })
    }

    /// All sizes in order.
    pub fn all(&self) -> impl Iterator<Item = Size<'a>> + Clone {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// The size with the least memory.
    #[must_use]
    pub fn smallest(&self) -> Size<'a> {
        self.all().min_by_key(|size| size.memory().unwrap_or(i64::MAX)).unwrap_or(self.first)
    }

    /// Reports sizes that are named twice, and those that cannot stand in for the first. With an image, each size is held
    /// against that as well, processors among the rest.
    pub(crate) fn check(&self, at: Span, with_image: bool, sink: &mut Sink) {
        let first = self.first;
        for (index, other) in self.others.iter().enumerate() {
            if self.all().take(index + 1).any(|before| before.name().eq_ignore_ascii_case(other.name())) {
                sink.push(diags::size_twice(other.name(), at));
            } else if let Some((has, wanted)) = difference(first, *other, with_image) {
                sink.push(diags::sizes_differ(first.name(), other.name(), (&has, &wanted), at));
            }
        }
    }

    /// Why a scale set cannot hold these sizes as an instance mix, if so. The limits are those of "Use multiple Virtual
    /// Machine sizes with instance mix" (2026-05-19).
    pub(crate) fn unmixable(&self, orchestration: Orchestration, disk: OsDisk) -> Option<String> {
        const MOST: usize = 5;
        const FAMILIES: [&str; 5] = ["A", "B", "D", "E", "F"];
        if orchestration == Orchestration::Uniform {
            return Some("a Uniform set has machines of one size".to_owned());
        }
        if matches!(disk, OsDisk::Ephemeral(..)) {
            return Some("an instance mix has no ephemeral OS disks".to_owned());
        }
        if self.all().count() > MOST {
            return Some(format!("an instance mix has at most {MOST} sizes"));
        }
        if let Some(size) = self.all().find(|size| !FAMILIES.contains(&letters(size.name()))) {
            return Some(format!(
                "an instance mix has sizes of the families {} only, not `{}`",
                FAMILIES.join(", "),
                size.name()
            ));
        }
        let parts = |size: Size<'a>| {
            let controllers: Vec<_> = size.0.disk_controllers().into_iter().collect();
            let disks = (size.0.temp_disk_kind(), size.0.temp_disk() > 0, size.0.nvme_disks() > 0);
            (controllers, size.premium(), disks)
        };
        let wanted = parts(self.first);
        for other in &self.others {
            let (controllers, premium, disks) = parts(*other);
            let what = match () {
                () if controllers != wanted.0 => "disk controllers",
                () if premium != wanted.1 => "support of premium disks",
                () if disks != wanted.2 => "local disks",
                () => continue,
            };
            return Some(format!("sizes of an instance mix have the same {what}, and `{}` has others", other.name()));
        }
        None
    }
}

/// The letters of the family in a name: `NC` of `Standard_NC4as_T4_v3`.
fn letters(name: &str) -> &str {
    let rest = name.strip_prefix("Standard_").unwrap_or(name);
    rest.split(|c: char| !c.is_ascii_uppercase()).next().unwrap_or_default()
}

/// What the alternative has instead of what the first has, in words; nothing when it can stand in.
fn difference(first: Size<'_>, other: Size<'_>, with_image: bool) -> Option<(String, String)> {
    if !with_image && first.architecture() != other.architecture() {
        return Some((format!("{} processors", other.architecture().word()), first.architecture().word().to_owned()));
    }
    let gpus = |size: Size<'_>| match size.has_gpu() {
        false => "no GPU".to_owned(),
        true => {
            let memory = size.0.gpu_memory().map_or_else(|| "unknown".to_owned(), in_words);
            let count = size.0.gpu().normalize();
            format!("{count} × {} with {memory}", size.gpu_model().unwrap_or("GPU"))
        }
    };
    let same = first.has_gpu() == other.has_gpu()
        && first.gpu_vendor() == other.gpu_vendor()
        && first.gpu_model() == other.gpu_model()
        && first.0.gpu_memory() == other.0.gpu_memory();
    if !same || other.0.gpu() < first.0.gpu() {
        return Some((gpus(other), gpus(first)));
    }
    if first.nvme_only() != other.nvme_only() {
        let boots = |size: Size<'_>| if size.nvme_only() { "NVMe disks only" } else { "SCSI disks" }.to_owned();
        return Some((boots(other), boots(first)));
    }
    let cards = |size: Size<'_>| size.accelerated_networking();
    match (cards(first), cards(other)) {
        (NetworkAcceleration::Required, NetworkAcceleration::No)
        | (NetworkAcceleration::No, NetworkAcceleration::Required) => {
            let shown = |size| match cards(size) {
                NetworkAcceleration::Required => "accelerated networking always",
                NetworkAcceleration::Yes | NetworkAcceleration::No => "no accelerated networking",
            };
            Some((shown(other).to_owned(), shown(first).to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn the_family_is_in_the_name() {
        assert_eq!(letters("Standard_NC4as_T4_v3"), "NC");
        assert_eq!(letters("Standard_D8s_v5"), "D");
        assert_eq!(letters("Standard_B2ms"), "B");
    }
}
