//! Numbers in the units that Azure takes: whole GiB, minutes, days, seconds, percent.
//!
//! A number of these types exists only inside the bounds of the property that it is for: [`Bounds::take`] refuses what
//! Azure cannot hold and names the nearest amounts that it can. Nothing is rounded on the way.

use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Sink};
use dsvm_sema::table::schema::FieldRef;
use dsvm_sema::value::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::marker::PhantomData;

/// Bytes in a GiB.
pub const GIB: i64 = 1 << 30;
/// Seconds in a minute.
pub const MINUTE: i64 = 60;
/// Seconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Seconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// A unit in which Azure counts whole numbers.
pub trait Unit: Copy {
    /// Bytes, seconds or percent in one of it.
    const WORTH: i64;
    /// Its name after a number other than one.
    const PLURAL: &'static str;

    /// An amount in bytes, seconds or percent, as one would write it.
    fn written(amount: i64) -> String;

    /// So many of it.
    #[doc(hidden)]
    fn count(number: i64, token: Token) -> Self;
}

/// Lets only [`Bounds`] make numbers with a unit.
#[derive(Clone, Copy, Debug)]
pub struct Token(());

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident = $worth:expr, $plural:literal, $written:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(i64);

        impl $name {
            /// The number that Azure is given.
            #[must_use]
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl Unit for $name {
            const WORTH: i64 = $worth;
            const PLURAL: &'static str = $plural;

            fn written(amount: i64) -> String {
                let written: fn(i64) -> String = $written;
                written(amount)
            }

            fn count(number: i64, _: Token) -> Self {
                Self(number)
            }
        }

        impl std::fmt::Display for $name {
            /// As one would write it, in the largest unit that is exact.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&Self::written(self.0.saturating_mul(Self::WORTH)))
            }
        }
    )* };
}

units! {
    /// Whole GiB, for disks and shares.
    WholeGib = GIB, "GiB", size;
    /// Whole minutes, for idle connections.
    WholeMinutes = MINUTE, "minutes", duration;
    /// Whole days, for how long deleted things are kept.
    WholeDays = DAY, "days", duration;
    /// Seconds, also where Azure takes an ISO 8601 duration.
    Seconds = 1, "seconds", duration;
    /// Whole percent, for shares of an upgrade and steps of autoscale.
    WholePercent = 1, "percent", |percent| format!("{percent}%");
}

/// Bytes in words, in the largest unit that is exact: `512 MiB`, `1 TiB`.
#[must_use]
pub fn size(bytes: i64) -> String {
    Value::Size(bytes).to_string()
}

/// Seconds in words, in the largest unit that is exact: `90 s`, `15 min`, `2 h`.
#[must_use]
pub fn duration(seconds: i64) -> String {
    Value::Duration(seconds).to_string()
}

/// What Azure takes for a property: so many of a unit, both ends included.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<U> {
    least: i64,
    most: i64,
    rule: &'static str,
    unit: PhantomData<U>,
}

/// Why an amount is not a whole number of a unit within bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The amount lies within the bounds, between two whole numbers; otherwise it lies outside.
    pub fractional: bool,
    /// The nearest amounts that work, as one would write them, smallest first: one or two.
    pub nearest: Vec<String>,
}

impl<U: Unit> Bounds<U> {
    /// From `least` to `most` of the unit; `rule` says so in a sentence with its reason.
    #[must_use]
    pub const fn new(least: i64, most: i64, rule: &'static str) -> Self {
        assert!(least <= most, "bounds in the wrong order");
        Self { least, most, rule, unit: PhantomData }
    }

    /// From `least` of the unit up, as far as is known.
    #[must_use]
    pub const fn from(least: i64, rule: &'static str) -> Self {
        Self::new(least, i64::MAX, rule)
    }

    /// Fewest and most of the unit.
    #[must_use]
    pub const fn ends(&self) -> (i64, i64) {
        (self.least, self.most)
    }

    /// The number for an amount in bytes, seconds or percent.
    ///
    /// # Errors
    ///
    /// When the amount is not a whole number of the unit, or lies outside of the bounds.
    pub fn take(&self, amount: impl Into<Decimal>) -> Result<U, Refused> {
        let amount = amount.into();
        let (below, whole) = whole::<U>(amount);
        let above = if whole { below } else { below.saturating_add(1) };
        let fractional = !whole && self.least <= below && above <= self.most;
        if !fractional && (self.least..=self.most).contains(&below) && whole {
            return Ok(U::count(below, Token(())));
        }
        let mut nearest = vec![below.clamp(self.least, self.most), above.clamp(self.least, self.most)];
        nearest.dedup();
        let nearest = nearest.into_iter().map(|count| U::written(count.saturating_mul(U::WORTH))).collect();
        Err(Refused { fractional, nearest })
    }

    /// The largest number not above an amount in bytes, seconds or percent, moved into the bounds: what stands for an
    /// amount that was refused or left out.
    pub fn nearest(&self, amount: impl Into<Decimal>) -> U {
        let (below, _) = whole::<U>(amount.into());
        U::count(below.clamp(self.least, self.most), Token(()))
    }

    /// The number for an amount of a field; `None` after the report of one that is refused.
    pub(crate) fn check(&self, amount: impl Into<Decimal>, field: FieldRef<'_>, sink: &mut Sink) -> Option<U> {
        let refused = self.take(amount).map_err(|refused| self.diagnostic(&refused, field.name(), field.span()));
        refused.map_err(|diagnostic| sink.push(diagnostic)).ok()
    }

    /// The number for an amount of a field; one that is refused is reported and replaced by the nearest.
    pub(crate) fn hold(&self, amount: impl Into<Decimal> + Copy, field: FieldRef<'_>, sink: &mut Sink) -> U {
        self.check(amount, field, sink).unwrap_or_else(|| self.nearest(amount))
    }

    /// The report of a refused amount in a field.
    fn diagnostic(&self, refused: &Refused, field: &str, span: Span) -> Diagnostic {
        let nearest = refused.nearest.iter().map(|amount| format!("`{amount}`")).collect::<Vec<_>>().join(" or ");
        match refused.fractional {
            true => {
                let title = format!("`{field}` is not a whole number of {}", U::PLURAL);
                Diagnostic::new(Code::OutOfBounds, title, span, format!("Azure accepts whole {} here", U::PLURAL))
            }
            false => {
                let title = format!("`{field}` is outside the range that Azure allows");
                Diagnostic::new(Code::OutOfBounds, title, span, "out of bounds")
            }
        }
        .note(self.rule)
        .help(format!("write {nearest}"))
    }
}

/// The whole number of a unit at or below an amount, and whether it is exact.
fn whole<U: Unit>(amount: Decimal) -> (i64, bool) {
    // Nearly all amounts are whole; dividing decimals takes a hundred times as long.
    if amount.scale() == 0
        && let Some(amount) = amount.to_i64()
    {
        return (amount.div_euclid(U::WORTH), amount.rem_euclid(U::WORTH) == 0);
    }
    let worth = Decimal::from(U::WORTH);
    let floor = (amount / worth).floor();
    let exact = amount % worth == Decimal::ZERO;
    let end = if amount.is_sign_negative() { i64::MIN } else { i64::MAX };
    (floor.to_i64().unwrap_or(end), exact)
}

/// Bounds of Azure's properties.
pub mod bounds {
    use super::{Bounds, DAY, HOUR, MINUTE, Seconds, WholeDays, WholeGib, WholeMinutes, WholePercent};

    /// OS disk of a machine ("Introduction to Azure managed disks", OS disk).
    pub const OS_DISK: Bounds<WholeGib> = Bounds::new(1, 4095, "an OS disk has 1 GiB to 4095 GiB, in whole GiB");
    /// Capacity of a standard share.
    pub const STANDARD_QUOTA: Bounds<WholeGib> =
        Bounds::new(1, 102_400, "a standard share has 1 GiB to 102400 GiB, in whole GiB");
    /// Capacity of a premium share.
    pub const PREMIUM_QUOTA: Bounds<WholeGib> =
        Bounds::new(100, 102_400, "a premium share has 100 GiB to 102400 GiB, in whole GiB");
    /// Silent connections of a load balancer.
    pub const IDLE_TIMEOUT: Bounds<WholeMinutes> =
        Bounds::new(4, 30, "a load balancer keeps idle connections for 4 to 30 minutes");
    /// How long deleted shares are kept.
    pub const KEEP_DELETED: Bounds<WholeDays> = Bounds::new(1, 365, "Azure keeps deleted shares for 1 to 365 days");
    /// Deleted vaults and secrets.
    pub const RETENTION: Bounds<WholeDays> = Bounds::new(7, 90, "Azure keeps deleted secrets for 7 to 90 days");
    /// Between two questions of the health extension.
    pub const HEALTH_INTERVAL: Bounds<Seconds> =
        Bounds::new(5, 60, "the health extension probes every 5 to 60 seconds");
    /// Until a new machine must be healthy (`schema.go` of <https://github.com/Azure/applicationhealth-extension-linux>).
    pub const HEALTH_GRACE: Bounds<Seconds> =
        Bounds::new(5, 4 * HOUR, "a new machine has 5 seconds to 4 hours to become healthy");
    /// Setup of a new machine: what repairs can wait for.
    pub const SETUP: Bounds<Seconds> =
        Bounds::new(0, 90 * MINUTE, "repairs wait for at most 90 minutes; move longer work into an image");
    /// Before a machine that changed is repaired.
    pub const REPAIR_GRACE: Bounds<Seconds> = Bounds::new(10 * MINUTE, 90 * MINUTE, "repairs wait 10 to 90 minutes");
    /// Notice of a deletion.
    pub const NOTICE: Bounds<Seconds> = Bounds::new(5 * MINUTE, 15 * MINUTE, "Azure gives 5 to 15 minutes of notice");
    /// Between two batches of an upgrade.
    pub const PAUSE: Bounds<Seconds> = Bounds::from(0, "a pause between two batches cannot be negative");
    /// Machines of an upgrade at once, or unhealthy.
    pub const UPGRADE_SHARE: Bounds<WholePercent> =
        Bounds::new(5, 100, "Azure accepts whole percentages from 5% to 100%");
    /// Regular machines among spot machines.
    pub const REGULAR_SHARE: Bounds<WholePercent> =
        Bounds::new(0, 100, "Azure accepts whole percentages from 0% to 100%");
    /// For which evicted machines are brought back.
    pub const RESTORE: Bounds<Seconds> = Bounds::from(1, "the time to restore machines must be positive");
    /// Between two readings of a metric.
    pub const GRAIN: Bounds<Seconds> = Bounds::new(MINUTE, 12 * HOUR, "samples are 1 minute to 12 hours apart");
    /// Over which a metric is aggregated.
    pub const WINDOW: Bounds<Seconds> =
        Bounds::new(5 * MINUTE, 12 * HOUR, "autoscale supports windows of 5 minutes to 12 hours");
    /// After a rule has acted.
    pub const COOLDOWN: Bounds<Seconds> = Bounds::new(MINUTE, 7 * DAY, "a cooldown takes 1 minute to 1 week");
    /// How far a rule changes the number of machines.
    pub const CHANGE: Bounds<WholePercent> = Bounds::new(1, 1000, "autoscale accepts whole percentages from 1%");
    /// Ahead of a forecast.
    pub const AHEAD: Bounds<Seconds> = Bounds::new(MINUTE, HOUR, "machines are started 1 to 60 minutes ahead");
    /// For which a resize of a batch pool is tried.
    pub const RESIZE: Bounds<Seconds> =
        Bounds::new(5 * MINUTE, 7 * DAY, "a resize can be attempted for 5 minutes to 7 days");
    /// Between two evaluations of a formula of Azure Batch.
    pub const EVALUATION: Bounds<Seconds> =
        Bounds::new(5 * MINUTE, 168 * HOUR, "Azure Batch evaluates a formula every 5 minutes to 168 hours");
    /// Over which tasks are averaged.
    pub const LOOK_BACK: Bounds<Seconds> =
        Bounds::new(1, u32::MAX as i64, "the time window of a formula must be positive");
    /// For which a machine of Azure Machine Learning is kept without work.
    pub const IDLE: Bounds<Seconds> = Bounds::from(0, "an idle time cannot be negative");
    /// After which a job is ended.
    pub const TIME_LIMIT: Bounds<Seconds> = Bounds::from(1, "the time limit of a job must be positive");
}

#[cfg(test)]
mod tests;
