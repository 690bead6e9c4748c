//! The `limits` block of a pool → what each person can use of a machine, in the notation of systemd.

use super::diags;
use super::facts::Size;
use dsvm_diagnostics::Sink;
use dsvm_sema::table::choices::Memory;
use dsvm_sema::table::pool as rows;
use dsvm_sema::table::schema::View;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Fewest bytes that a person can be limited to, a bound of dsvmc's own: a log-in with its service manager and a shell
/// fits, and a mistyped unit is found before everybody is locked out.
pub(crate) const LEAST_MEMORY: i64 = 256 << 20;

/// What each person can use of a machine. Unset parts are not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most memory, as `MemoryMax` takes it: `16G`, `512M`, `50%`, or a number of bytes
    /// (<https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html>).
    pub memory: Option<String>,
    /// Most processes and threads (`TasksMax`).
    pub tasks: Option<i64>,
}

/// Reads the limits of a pool; memory that no person could use, or that the machine does not have, is reported.
pub(crate) fn read(pool: View<'_, rows::Pool>, size: Size<'_>, sink: &mut Sink) -> Limits {
    let Some(limits) = pool.limits() else { return Limits::default() };
    let memory = limits.memory().and_then(|memory| self::memory(limits, memory, pool, size, sink));
    Limits { memory, tasks: limits.tasks() }
}

fn memory(
    limits: View<'_, rows::Limits>,
    memory: Memory,
    pool: View<'_, rows::Pool>,
    size: Size<'_>,
    sink: &mut Sink,
) -> Option<String> {
    let at = limits.fields().memory().span();
    let has = size.memory();
    let (bytes, written, shown) = match memory {
        Memory::Size(bytes) => (Some(bytes), in_systemd(bytes), crate::units::size(bytes)),
        Memory::Percent(part) => {
            // systemd would take permille too, which nobody needs here.
            let Some(whole) = part.to_i64().filter(|whole| Decimal::from(*whole) == part) else {
                sink.push(diags::memory_limit_fraction(part, at));
                return None;
            };
            let of = |has| i64::try_from(i128::from(has) * i128::from(whole) / 100).unwrap_or(i64::MAX);
            (has.map(of), format!("{whole}%"), format!("{whole}%"))
        }
    };
    if let (Some(bytes), Some(has)) = (bytes, has)
        && bytes > has
    {
        sink.push(diags::memory_limit_too_large(&shown, has, size.name(), at, pool.fields().size().span()));
        return None;
    }
    if bytes.is_some_and(|bytes| bytes < LEAST_MEMORY) {
        sink.push(diags::memory_limit_too_small(&shown, at));
        return None;
    }
    Some(written)
}

/// Bytes in the largest unit of systemd that is exact; its units are powers of 1024.
fn in_systemd(bytes: i64) -> String {
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
    let exact = units.into_iter().find(|(bits, _)| bytes % (1 << bits) == 0);
    exact.map_or_else(|| bytes.to_string(), |(bits, unit)| format!("{}{unit}", bytes >> bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_in_the_units_of_systemd() {
        for (bytes, written) in [
            (16 << 30, "16G"),
            (1 << 40, "1T"),
            (1_536 << 20, "1536M"),
            (600_064_000, "586000K"),
            (1_000_000_001, "1000000001"),
        ] {
            assert_eq!(in_systemd(bytes), written);
        }
    }
}
