//! Live progress of an apply: spinners on a terminal, plain lines elsewhere.

use super::printer::Printer;
use crate::render::palette::{Palette, Role};
use crate::render::plan::clean;
use crate::render::visible::for_terminal;
use arm_apply::{Event, Observer};
use arm_plan::{Plan, titled, type_of_id};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Writes progress to stderr.
pub struct Progress {
    bars: Option<MultiProgress>,
    running: BTreeMap<String, ProgressBar>,
    begun: BTreeMap<String, Instant>,
    ended: BTreeMap<String, String>,
    /// Names for people of resources whose own names are ids, by lower-case id.
    labels: BTreeMap<String, String>,
    /// The current step with its duration, below everything else.
    phase: Option<ProgressBar>,
    palette: Palette,
    quiet: bool,
    /// Columns of the terminal; 0 when there is none.
    width: usize,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Progress for the terminal that the printer writes to.
    #[must_use]
    pub fn for_printer(printer: &Printer) -> Self {
        Self::new(printer.interactive(), printer.is_quiet(), printer.columns(), printer.error_palette())
    }

    fn new(live: bool, quiet: bool, width: usize, palette: Palette) -> Self {
        let live =
            live && !quiet && std::env::var_os("CI").is_none() && std::env::var_os("DSVMC_NO_PROGRESS").is_none();
        Self {
            bars: live.then(MultiProgress::new),
            running: BTreeMap::new(),
            begun: BTreeMap::new(),
            ended: BTreeMap::new(),
            labels: BTreeMap::new(),
            phase: None,
            palette,
            quiet,
            width: if live { width } else { 0 },
            stop: super::interrupt::stop_flag(),
        }
    }

    /// Takes the names for people from a plan.
    pub fn know(&mut self, plan: &Plan) {
        let labels = plan.changes.iter().filter_map(|c| Some((c.id.to_ascii_lowercase(), c.label.clone()?)));
        self.labels.extend(labels);
    }

    fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        match &self.bars {
            Some(bars) => {
                let _ = bars.println(for_terminal(text));
            }
            None => {
                super::printer::to_stderr(&format!("{text}\n"));
            }
        }
    }

    /// Removes the spinners from the terminal.
    pub fn close(&mut self) {
        for bar in self.running.values() {
            bar.finish_and_clear();
        }
        self.running.clear();
        if let Some(bar) = self.phase.take() {
            bar.finish_and_clear();
        }
    }

    fn begin(&mut self, text: &str) {
        if let Some(bar) = self.phase.take() {
            bar.finish_and_clear();
        }
        let Some(bars) = &self.bars else { return };
        let bar = bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(shortened(text, self.width.saturating_sub(TIME)));
        bar.enable_steady_tick(Duration::from_millis(120));
        self.phase = Some(bar);
    }

    fn resource(&mut self, id: &str, state: &str) {
        let (kind, name) = type_of_id(id);
        let key = id.to_ascii_lowercase();
        let label = clean(&titled(&kind, &name, self.labels.get(&key).map(String::as_str)));
        let over = matches!(state, "Succeeded" | "Failed" | "Canceled" | "Deleted");
        if !over {
            self.begun.entry(key.clone()).or_insert_with(Instant::now);
            if let (Some(bars), false) = (&self.bars, self.running.contains_key(&key)) {
                let bar = match &self.phase {
                    Some(phase) => bars.insert_before(phase, ProgressBar::new_spinner()),
                    None => bars.add(ProgressBar::new_spinner()),
                };
                if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {elapsed}") {
                    bar.set_style(style);
                }
                bar.set_message(shortened(&label, self.width.saturating_sub(STATE + TIME)));
                bar.enable_steady_tick(Duration::from_millis(120));
                self.running.insert(key, bar);
            }
            return;
        }
        if self.ended.get(&key).is_some_and(|s| s == state) {
            return;
        }
        self.ended.insert(key.clone(), state.to_owned());
        if let Some(bar) = self.running.remove(&key) {
            bar.finish_and_clear();
        }
        let seconds = self.begun.get(&key).map(|b| b.elapsed().as_secs()).filter(|s| *s > 0);
        let time = seconds.map(|s| format!(" ({s} s)")).unwrap_or_default();
        let label = shortened(&label, self.width.saturating_sub(STATE + time.chars().count()));
        let role = if matches!(state, "Succeeded" | "Deleted") { Role::Good } else { Role::Error };
        self.line(&format!(
            "  {} {label}{time}",
            self.palette.paint(role, &format!("{:<9}", state.to_ascii_lowercase()))
        ));
    }
}

/// Columns that the state of a resource needs beside its label.
const STATE: usize = 12;
/// Columns that a duration needs beside a label.
const TIME: usize = 10;

/// The text in at most `width` columns, its middle left out; 0 means no limit.
fn shortened(text: &str, width: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if width < 8 || letters.len() <= width {
        return text.to_owned();
    }
    let (head, tail) = ((width - 1) / 2, (width - 1) - (width - 1) / 2);
    let begin = letters.iter().take(head);
    let end = letters.iter().skip(letters.len() - tail);
    begin.chain(std::iter::once(&'…')).chain(end).collect()
}

impl Observer for Progress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Phase(text) => {
                let text = clean(text);
                let mut letters = text.chars();
                let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
                let text = format!("{first}{}", letters.as_str());
                self.line(&text);
                self.begin(&text);
            }
            Event::Resource { id, state } => self.resource(id, state),
            Event::Detail(text) => self.line(&format!("  {}", clean(text))),
            Event::Tick => {}
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn labels_fit_the_terminal_and_keep_both_ends() {
        assert_eq!(shortened("vaults kv-team", 0), "vaults kv-team");
        assert_eq!(shortened("vaults kv-team", 14), "vaults kv-team");
        let long = "virtualNetworkLinks privatelink.vaultcore.azure.net/west";
        assert_eq!(shortened(long, 30), "virtualNetwork….azure.net/west");
        assert!((8..60).all(|width| shortened(long, width).chars().count() == width.min(long.len())));
    }
}
