use super::bounds::{CHANGE, HEALTH_INTERVAL, IDLE_TIMEOUT, KEEP_DELETED, OS_DISK, PAUSE, UPGRADE_SHARE};
use super::*;

/// The nearest amounts of a refusal, and whether the amount lies between whole numbers within the bounds.
fn refused<U: Unit>(bounds: &Bounds<U>, amount: impl Into<Decimal>) -> (bool, String) {
    match bounds.take(amount) {
        Ok(_) => panic!("taken"),
        Err(refused) => (refused.fractional, refused.nearest.join(" or ")),
    }
}

#[test]
fn whole_numbers_within_the_bounds_are_taken() {
    assert_eq!(OS_DISK.take(150 * GIB).map(WholeGib::get), Ok(150));
    assert_eq!(OS_DISK.take(4095 * GIB).map(WholeGib::get), Ok(4095));
    assert_eq!(IDLE_TIMEOUT.take(4 * MINUTE).map(WholeMinutes::get), Ok(4));
    assert_eq!(IDLE_TIMEOUT.take(30 * MINUTE).map(WholeMinutes::get), Ok(30));
    assert_eq!(KEEP_DELETED.take(365 * DAY).map(WholeDays::get), Ok(365));
    assert_eq!(HEALTH_INTERVAL.take(5).map(Seconds::get), Ok(5));
    assert_eq!(UPGRADE_SHARE.take(Decimal::new(250, 1)).map(WholePercent::get), Ok(25));
    assert_eq!(PAUSE.take(i64::MAX).map(Seconds::get), Ok(i64::MAX));
}

#[test]
fn an_amount_between_two_whole_numbers_names_both() {
    assert_eq!(refused(&OS_DISK, 150 * GIB + 768 * (1 << 20)), (true, "150 GiB or 151 GiB".into()));
    assert_eq!(refused(&OS_DISK, 150 * GIB + 1), (true, "150 GiB or 151 GiB".into()));
    assert_eq!(refused(&IDLE_TIMEOUT, 270), (true, "4 min or 5 min".into()));
    assert_eq!(refused(&KEEP_DELETED, 36 * HOUR), (true, "1 day or 2 days".into()));
    assert_eq!(refused(&UPGRADE_SHARE, Decimal::new(75, 1)), (true, "7% or 8%".into()));
}

#[test]
fn an_amount_outside_names_the_end_that_is_near() {
    assert_eq!(refused(&OS_DISK, 512 << 20), (false, "1 GiB".into()));
    assert_eq!(refused(&OS_DISK, 8 * 1024 * GIB), (false, "4095 GiB".into()));
    assert_eq!(refused(&OS_DISK, i64::MAX), (false, "4095 GiB".into()));
    assert_eq!(refused(&IDLE_TIMEOUT, 210), (false, "4 min".into()));
    assert_eq!(refused(&IDLE_TIMEOUT, 1801), (false, "30 min".into()));
    assert_eq!(refused(&KEEP_DELETED, 0), (false, "1 day".into()));
    assert_eq!(refused(&PAUSE, -1), (false, "0 s".into()));
    assert_eq!(refused(&PAUSE, i64::MIN), (false, "0 s".into()));
    assert_eq!(refused(&CHANGE, Decimal::MAX), (false, "1000%".into()));
}

#[test]
fn what_stands_for_a_refused_amount_lies_within_the_bounds() {
    assert_eq!(IDLE_TIMEOUT.nearest(270).get(), 4);
    assert_eq!(IDLE_TIMEOUT.nearest(-5).get(), 4);
    assert_eq!(IDLE_TIMEOUT.nearest(DAY).get(), 30);
    assert_eq!(UPGRADE_SHARE.nearest(Decimal::MIN).get(), 5);
}

#[test]
fn amounts_in_words_are_exact() {
    for (bytes, words) in [(512 << 20, "512 MiB"), (GIB, "1 GiB"), (GIB + 1, "1073741825 B"), (3 << 39, "1536 GiB")] {
        assert_eq!(size(bytes), words);
    }
    for (seconds, words) in [(0, "0 s"), (90, "90 s"), (900, "15 min"), (2 * HOUR, "2 h"), (DAY, "1 day")] {
        assert_eq!(duration(seconds), words);
    }
    assert_eq!(OS_DISK.nearest(150 * GIB).to_string(), "150 GiB");
    assert_eq!(IDLE_TIMEOUT.nearest(270).to_string(), "4 min");
}
