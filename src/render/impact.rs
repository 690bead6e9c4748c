//! What a plan means → text for a terminal: refusals, who notices, and the changes of each block with their effects.

use super::layout::{columns, paragraph};
use super::palette::{Palette, Role};
use super::plan_places::Places;
use super::plan_text::clean;
use arm_plan::{EffectKind, Source};
use dsvm_impact::{BlockChanges, Impact, Line, Notice, Severity};

/// Where the text of a notice begins.
const NOTICE: usize = 5;
/// Where a line of a block begins.
const LINE: usize = 4;
/// Where an effect begins that does not fit behind its change.
const BELOW: usize = 8;
/// Columns of the longest subject and change that the others are aligned with.
const WIDEST: [usize; 2] = [30, 44];

/// Draws everything but the summary; ends with an empty line.
#[must_use]
pub fn terminal(impact: &Impact, room: usize, palette: Palette) -> String {
    let page = Page { room, palette, places: Places::among(&sources(impact), room / 3) };
    let mut out = String::new();
    if let Some(folder) = page.places.folder() {
        out.push_str(&format!(
            "{}\n\n",
            palette.paint(Role::Dim, &format!("Source lines are those of files in {folder}"))
        ));
    }
    if !impact.refusals.is_empty() {
        page.heading("Refused by Azure", &mut out);
        for refusal in &impact.refusals {
            let code = refusal.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            page.item("!", Role::Error, &format!("{}{code}", refusal.text), refusal.source.as_ref(), &mut out);
            if let Some(way_out) = &refusal.way_out {
                for line in paragraph(&clean(&format!("instead: {way_out}")), room - NOTICE, usize::MAX) {
                    out.push_str(&format!("{}{}\n", " ".repeat(NOTICE), palette.paint(Role::Help, &line)));
                }
            }
        }
        out.push('\n');
    }
    if !impact.notices.is_empty() {
        page.heading("Who notices", &mut out);
        impact.notices.iter().for_each(|notice| page.notice(notice, &mut out));
        out.push('\n');
    }
    if !impact.blocks.is_empty() {
        page.heading("Changes", &mut out);
        impact.blocks.iter().for_each(|block| page.block(block, &mut out));
        out.push('\n');
    }
    out
}

/// Every place that is shown.
fn sources(impact: &Impact) -> Vec<&Source> {
    let refusals = impact.refusals.iter().filter_map(|refusal| refusal.source.as_ref());
    let notices = impact.notices.iter().filter_map(|notice| notice.source.as_ref());
    let lines = impact.blocks.iter().flat_map(|block| &block.lines).filter_map(|line| line.source.as_ref());
    refusals.chain(notices).chain(lines).collect()
}

/// `12 pools: lab-a, lab-b, … and 8 more`, or the title of the only block.
#[must_use]
pub fn blocks_title(blocks: &[String]) -> String {
    const FEW: usize = 4;
    match blocks {
        [one] => one.clone(),
        many => {
            let kind = many.first().and_then(|title| title.split(' ').next()).unwrap_or_default();
            let name = |title: &String| title.split_once(' ').map_or(title.clone(), |(_, name)| name.to_owned());
            let names: Vec<String> = many.iter().take(FEW).map(name).collect();
            let more = if many.len() > FEW { format!(" and {} more", many.len() - FEW) } else { String::new() };
            format!("{}: {}{more}", dsvm_diagnostics::count(many.len(), kind), names.join(", "))
        }
    }
}

struct Page {
    room: usize,
    palette: Palette,
    places: Places,
}

impl Page {
    fn heading(&self, text: &str, out: &mut String) {
        out.push_str(&format!("{}\n", self.palette.paint(Role::Title, text)));
    }

    fn notice(&self, notice: &Notice, out: &mut String) {
        let (sign, role) = match notice.severity {
            Severity::DataLost | Severity::PoolGone | Severity::WorkLost | Severity::LockedOut => ("!", Role::Delete),
            Severity::Restarted | Severity::Moved => ("!", Role::Update),
            Severity::Waiting | Severity::NotKnown => ("?", Role::Update),
            Severity::Gained => ("+", Role::Create),
        };
        self.item(sign, role, &notice.text, notice.source.as_ref(), out);
    }

    fn item(&self, sign: &str, role: Role, text: &str, source: Option<&Source>, out: &mut String) {
        let lines = paragraph(&clean(text), self.room - NOTICE, usize::MAX);
        let text = lines.join(&format!("\n{}", " ".repeat(NOTICE)));
        out.push_str(&format!("  {}  {text}", self.palette.paint(role, sign)));
        let from = NOTICE + lines.last().map_or(0, |line| columns(line));
        self.place(source, from, out);
        out.push('\n');
    }

    /// A place at the right edge, or below where it does not fit.
    fn place(&self, source: Option<&Source>, from: usize, out: &mut String) {
        let Some(source) = source else { return };
        let place = self.places.shown(source);
        let width = columns(&place);
        if from + 2 + width <= self.room {
            out.push_str(&" ".repeat(self.room - from - width));
        } else {
            out.push_str(&format!("\n{}", " ".repeat(self.room.saturating_sub(width))));
        }
        out.push_str(&self.palette.paint(Role::Dim, &place));
    }

    fn block(&self, block: &BlockChanges, out: &mut String) {
        let title = clean(&blocks_title(&block.blocks));
        let whole = match block.lines.as_slice() {
            [line] if line.subject.is_empty() => Some(line),
            _ => None,
        };
        if let Some(line) = whole {
            let more = if line.effect.is_empty() { String::new() } else { format!(", {}", line.effect) };
            let text = clean(&format!("{}{more}", line.change));
            let lead = format!("{title}  ");
            let lines = paragraph(&text, self.room.saturating_sub(2 + columns(&lead)), usize::MAX);
            out.push_str(&format!("  {}  ", self.palette.paint(Role::Name, &title)));
            out.push_str(&lines.join(&format!("\n{}", " ".repeat(2 + columns(&lead)))));
            let last = lines.last().map_or(0, |line| columns(line));
            self.place(line.source.as_ref(), 2 + columns(&lead) + last, out);
            out.push('\n');
            return;
        }
        for line in paragraph(&title, self.room - 2, usize::MAX) {
            out.push_str(&format!("  {}\n", self.palette.paint(Role::Name, &line)));
        }
        let widest = |most: usize, text: &dyn Fn(&Line) -> usize| {
            block.lines.iter().map(text).filter(|width| *width <= most).max().unwrap_or(0)
        };
        let subject = widest(WIDEST[0], &|line| columns(&line.subject));
        let change = widest(WIDEST[1], &|line| columns(&line.change));
        let fits = |line: &Line| {
            let place = line.source.as_ref().map_or(0, |source| 2 + columns(&self.places.shown(source)));
            let head = columns(&line.subject).max(subject) + 2 + columns(&line.change).max(change);
            LINE + head + 2 + columns(&line.effect) + place <= self.room
        };
        for line in &block.lines {
            self.line(line, [subject, change], fits(line), out);
        }
    }

    fn line(&self, line: &Line, widths: [usize; 2], one_each: bool, out: &mut String) {
        let (subject, change) = (clean(&line.subject), clean(&line.change));
        let role = if line.kind >= EffectKind::Restart { Role::Delete } else { Role::Dim };
        let effect = clean(&line.effect);
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(columns(text)));
        if one_each {
            let text = format!("{subject}{}  {change}{}  ", pad(&subject, widths[0]), pad(&change, widths[1]));
            out.push_str(&format!("{}{text}{}", " ".repeat(LINE), self.palette.paint(role, &effect)));
            self.place(line.source.as_ref(), LINE + columns(&text) + columns(&effect), out);
        } else {
            let lead = format!("{subject}{}  ", pad(&subject, widths[0]));
            let hanging = LINE + columns(&lead);
            let (lines, indent) = if hanging + 20 <= self.room {
                (paragraph(&change, self.room - hanging, usize::MAX), hanging)
            } else {
                (paragraph(&format!("{lead}{change}"), self.room - BELOW, usize::MAX), BELOW)
            };
            let lead = if indent == hanging { lead } else { String::new() };
            out.push_str(&format!("{}{lead}{}", " ".repeat(LINE), lines.join(&format!("\n{}", " ".repeat(indent)))));
            let from = if lines.len() == 1 { LINE + columns(&lead) } else { indent };
            self.place(line.source.as_ref(), from + lines.last().map_or(0, |line| columns(line)), out);
            if !effect.is_empty() {
                for effect in paragraph(&effect, self.room - BELOW, usize::MAX) {
                    out.push_str(&format!("\n{}{}", " ".repeat(BELOW), self.palette.paint(role, &effect)));
                }
            }
        }
        out.push('\n');
        for because in &line.because {
            for text in paragraph(&clean(because), self.room - BELOW, usize::MAX) {
                out.push_str(&format!("{}{}\n", " ".repeat(BELOW), self.palette.paint(Role::Dim, &text)));
            }
        }
    }
}
