//! Damaged input for every command: no panic, no overflow, no endless run, and the same output twice.
//!
//! A few hundred cases in every run. For more, in a build with optimisation that keeps the checks for overflow:
//!
//! ```text
//! CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true \
//!   DSVMC_MUTATIONS=100000 cargo test --release --test it -- mutations --nocapture
//! ```
//!
//! `DSVMC_MUTATION_SEED` is the seed (1); `DSVMC_MUTATION_SEEDS=FOLDER` adds templates to start from; `DSVMC_MUTATION_CASE=N`
//! runs one case and prints its input.

mod damage;
mod running;
mod subjects;

use damage::{Dice, damage};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use subjects::Subject;

/// How long one case may take before it counts as endless; generous, because machines are shared.
const ENDLESS: Duration = Duration::from_secs(60);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The command and the input of a case: they depend on nothing but the seed and its number.
fn case(subjects: &[Subject], seed: u64, number: u64) -> (&Subject, String) {
    let mut dice = Dice::of(seed, number);
    let mut at = dice.roll(subjects.iter().map(|s| s.weight).sum());
    let subject = subjects
        .iter()
        .find(|s| {
            let here = at < s.weight;
            at = at.saturating_sub(s.weight);
            here
        })
        .unwrap();
    let mut text = dice.pick(&subject.seeds).clone();
    for _ in 0..=dice.roll(5) {
        damage(&mut text, &subject.seeds, &mut dice);
    }
    (subject, text)
}

/// What went wrong with a case.
fn fault(subject: &Subject, text: &str, folder: &Path) -> Option<String> {
    let begun = Instant::now();
    let once = catch_unwind(AssertUnwindSafe(|| (subject.run)(text, folder)));
    let again = catch_unwind(AssertUnwindSafe(|| (subject.run)(text, folder)));
    let took = begun.elapsed();
    match (once, again) {
        (Ok(once), Ok(again)) if once != again => Some("two runs differ".to_owned()),
        (Ok(_), Ok(_)) if took > ENDLESS * 2 => Some(format!("takes {} s", took.as_secs())),
        (Ok(_), Ok(_)) => None,
        (Err(panic), _) | (_, Err(panic)) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or("a panic".to_owned()))
        }
    }
}

#[test]
fn damaged_input_ends_every_command_with_a_result_or_an_error() {
    let subjects = subjects::all();
    let seed = number("DSVMC_MUTATION_SEED").unwrap_or(1);
    if let Some(one) = number("DSVMC_MUTATION_CASE") {
        let (subject, text) = case(&subjects, seed, one);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        eprintln!("{}:\n{text}", subject.name);
        assert_eq!(fault(subject, &text, folder.path()), None, "case {one}");
        return;
    }
    let cases = number("DSVMC_MUTATIONS").unwrap_or(300);
    let (next, threads) = (AtomicU64::new(0), std::thread::available_parallelism().map_or(1, usize::from));
    let (faults, counts) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<&str, u64>::new()));
    let slowest = Mutex::new((Duration::ZERO, 0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // A stack as small as that of any thread.
            std::thread::Builder::new()
                .stack_size(2 << 20)
                .spawn_scoped(scope, || {
                    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
                    // The case that is running: what is left of it when the process dies of it.
                    let running: PathBuf = folder.path().join("case");
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= cases || faults.lock().unwrap().len() >= 20 {
                            return;
                        }
                        std::fs::write(&running, number.to_string()).unwrap();
                        let (subject, text) = case(&subjects, seed, number);
                        let begun = Instant::now();
                        let found = fault(subject, &text, folder.path());
                        let took = begun.elapsed();
                        let mut most = slowest.lock().unwrap();
                        *most = (*most).max((took, number));
                        drop(most);
                        *counts.lock().unwrap().entry(subject.name).or_default() += 1;
                        if let Some(what) = found {
                            faults.lock().unwrap().push(format!("case {number}, `{}`: {what}", subject.name));
                        }
                    }
                })
                .unwrap();
        }
    });
    let faults = faults.into_inner().unwrap();
    let (took, which) = *slowest.lock().unwrap();
    eprintln!("{:?}; slowest: case {which}, {} ms twice", counts.lock().unwrap(), took.as_millis());
    assert!(
        faults.is_empty(),
        "with DSVMC_MUTATION_SEED={seed}; DSVMC_MUTATION_CASE=N shows one:\n{}",
        faults.join("\n")
    );
    assert!(cases < 200 || counts.lock().unwrap().len() == subjects.len(), "every command gets its share");
}
