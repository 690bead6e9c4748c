//! The `.dsvm` text as it grows: blocks, comments, what was left over.

use super::read::Node;
use super::{Imported, Successor};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use dsvm_syntax::format::format;
use std::fmt::Write as _;

/// A project in the making.
pub struct Document {
    /// Which successor it is for.
    pub successor: Successor,
    location: Option<String>,
    tags: Vec<(String, String)>,
    head: Vec<String>,
    /// Whole blocks, in order.
    blocks: Vec<String>,
    /// Names of declared blocks by what they were made for.
    made: Vec<(String, String)>,
    comments: Vec<String>,
    warnings: Vec<String>,
    carried: usize,
    named: usize,
    /// Pools, for jobs that name no cluster.
    pub pools: Vec<String>,
    /// Shares and containers that each pool mounts, by the name of the pool.
    pub mounted_by: Vec<(String, Vec<String>)>,
    /// Mount roots: where each relative mount path is now.
    pub mounts: Vec<(String, String)>,
    /// Where each share or container is mounted, by its new name.
    pub mounted_at: Vec<(String, String)>,
    /// What jobs need of their pools.
    pub needs: Vec<Need>,
}

/// What a job needs of its pool.
#[derive(Clone, Debug, Default)]
pub struct Need {
    /// The cluster that it names.
    pub cluster: Option<String>,
    /// Shares that the job mounts.
    pub shares: Vec<String>,
    /// Containers that the job mounts.
    pub containers: Vec<String>,
    /// Number of machines that the job asks for.
    pub nodes: i64,
    /// Container image that the job asks for.
    pub image: Option<String>,
    /// Server of the private registry that the image is in.
    pub registry: Option<String>,
}

impl Document {
    /// A project without blocks for a successor.
    pub fn new(successor: Successor) -> Self {
        Self {
            successor,
            location: None,
            tags: Vec::new(),
            head: Vec::new(),
            blocks: Vec::new(),
            made: Vec::new(),
            comments: Vec::new(),
            warnings: Vec::new(),
            carried: 0,
            named: 0,
            pools: Vec::new(),
            mounted_by: Vec::new(),
            mounts: Vec::new(),
            mounted_at: Vec::new(),
            needs: Vec::new(),
        }
    }

    /// Says something above the next block.
    pub fn comment(&mut self, text: &str) {
        self.comments.push(text.to_owned());
    }

    /// Comments so far, taken away.
    pub fn take_comments(&mut self) -> Vec<String> {
        std::mem::take(&mut self.comments)
    }

    /// Something that a person should look at.
    pub fn warn(&mut self, text: &str) {
        if !self.warnings.iter().any(|w| w == text) {
            self.warnings.push(text.to_owned());
        }
    }

    /// What jobs need of a cluster: those that name it, and those that name none that is known.
    pub fn needs_of(&self, cluster: &str, all: &[String]) -> Vec<Need> {
        let known = |need: &&Need| match &need.cluster {
            Some(named) => named.eq_ignore_ascii_case(cluster) || !all.iter().any(|c| c.eq_ignore_ascii_case(named)),
            None => true,
        };
        self.needs.iter().filter(known).cloned().collect()
    }

    /// Takes the region of a definition; the first one counts, and an expression is none.
    pub fn location(&mut self, location: Option<String>) {
        if let Some(location) = location.filter(|l| !l.contains('[')) {
            self.location.get_or_insert(location.to_ascii_lowercase().replace(' ', ""));
        }
    }

    /// A tag of the project.
    pub fn tag(&mut self, key: &str, value: &str) {
        if !self.tags.iter().any(|(k, _)| k == key) {
            self.tags.push((key.to_owned(), value.to_owned()));
        }
    }

    /// A parameter, declared once.
    pub fn param(&mut self, doc: &str, declaration: &str) {
        let text = format!("/// {doc}\n{declaration}");
        if !self.head.contains(&text) {
            self.head.push(text);
        }
    }

    /// A name for a block made for `purpose`; the same purpose gives the same name.
    pub fn name(&mut self, wanted: &str, purpose: &str) -> (String, bool) {
        if let Some((_, name)) = self.made.iter().find(|(made_for, _)| made_for == purpose) {
            return (name.clone(), false);
        }
        let base = identifier(wanted);
        let mut name = base.clone();
        let mut number = 2;
        while self.made.iter().any(|(_, taken)| *taken == name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.made.push((purpose.to_owned(), name.clone()));
        (name, true)
    }

    /// The name of the block made for `purpose`, when there is one.
    pub fn made_for(&self, purpose: &str) -> Option<String> {
        self.made.iter().find(|(made_for, _)| made_for == purpose).map(|(_, name)| name.clone())
    }

    /// Adds a block, with the comments gathered for it.
    pub fn block(&mut self, head: &str, lines: &[String]) {
        let mut text = String::new();
        for comment in self.take_comments() {
            push_comment(&mut text, "", &comment);
        }
        // fields first, then the blocks inside, each with room above it
        let (inner, mut ordered): (Vec<String>, Vec<String>) = lines.iter().cloned().partition(|line| is_block(line));
        for block in inner {
            if !ordered.is_empty() {
                ordered.push(String::new());
            }
            ordered.push(block);
        }
        push_block(&mut text, head, &ordered, 0);
        self.blocks.push(text);
    }

    /// An image of the project's own.
    pub fn own_image(&mut self, id: &str, facts: &[String]) -> String {
        let (name, new) = self.name("own_image", id);
        if new {
            let comments = self.take_comments();
            let mut lines = vec![
                format!("id         = {}", quoted(id)),
                "os         = linux".to_owned(),
                "generation = 1".to_owned(),
                "node_agent = \"batch.node.ubuntu 22.04\"".to_owned(),
            ];
            lines.extend_from_slice(facts);
            self.block(&format!("image {name}"), &lines);
            self.comments = comments;
        }
        name
    }

    /// Names what was not carried over, after the last block.
    pub fn finish(&mut self, node: &Node) {
        self.carried += node.carried_count();
        let rest = node.rest();
        self.named += rest.len();
        if rest.is_empty() {
            return;
        }
        let mut text = "// Not carried over:\n".to_owned();
        for (path, value) in rest {
            push_comment(&mut text, "", &format!("  {path} = {value}"));
        }
        self.blocks.push(text);
    }

    /// The finished text with its project block.
    pub fn done(self, project: &str) -> Imported {
        let mut text =
            "// Written by `dsvmc import` from definitions of Batch AI, which ended on 31 March 2019.\n".to_owned();
        for warning in &self.warnings {
            push_comment(&mut text, "", &format!("Look at this: {warning}."));
        }
        let mut lines = Vec::new();
        if let Some(location) = &self.location {
            lines.push(format!(
                "location = {}",
                if location.chars().all(|c| c.is_ascii_alphanumeric()) { location.clone() } else { quoted(location) }
            ));
        }
        if !self.tags.is_empty() {
            let tags: Vec<String> = self.tags.iter().map(|(k, v)| format!("{} = {}", key(k), quoted(v))).collect();
            lines.push(format!("tags     = {{ {} }}", tags.join(", ")));
        }
        let _ = writeln!(text);
        push_block(&mut text, &format!("project {}", identifier(project)), &lines, 0);
        let body = self.head.iter().chain(&self.blocks);
        let uses = |module: &str| body.clone().any(|part| part.contains(&format!("{module}.")));
        let modules = ["images", "sizes"].into_iter().filter(|module| uses(module));
        let imports: String = modules.map(|module| format!("import std.{module}\n")).collect();
        if !imports.is_empty() {
            let _ = write!(text, "\n{imports}");
        }
        for part in self.head.iter().chain(&self.blocks) {
            text.push('\n');
            text.push_str(part.trim_end_matches('\n'));
            text.push('\n');
        }
        let text = without_overrides(&text);
        // INVARIANT: what is written here can be read; a property test says so.
        let text = format(SourceId::file(0), &text, &mut Sink::default()).unwrap_or(text);
        Imported { text, warnings: self.warnings, carried: self.carried, named: self.named }
    }
}

/// Overrides of the direction of text, which the language takes nowhere, as the escapes that it reads in strings.
fn without_overrides(text: &str) -> String {
    let acts = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if acts(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// Whether a line (or lines) of a block is a block itself.
fn is_block(line: &str) -> bool {
    let first = line.split('\n').next().unwrap_or("");
    (first.ends_with('{') || first.ends_with("{}")) && !first.contains(" = ")
}

/// A block with its lines indented; `{}` when it has none.
fn push_block(text: &mut String, head: &str, lines: &[String], depth: usize) {
    let indent = "  ".repeat(depth);
    if lines.is_empty() {
        let _ = writeln!(text, "{indent}{head} {{}}");
        return;
    }
    let _ = writeln!(text, "{indent}{head} {{");
    for line in lines.iter().flat_map(|l| l.split('\n')) {
        let _ = if line.is_empty() { writeln!(text) } else { writeln!(text, "{indent}  {line}") };
    }
    let _ = writeln!(text, "{indent}}}");
}

/// A comment, one line for each of its lines.
fn push_comment(text: &mut String, indent: &str, comment: &str) {
    for line in comment.split('\n') {
        let _ = writeln!(text, "{indent}// {}", line.trim_end());
    }
}

/// A nested block as lines.
pub fn nested(head: &str, lines: &[String]) -> String {
    let mut text = String::new();
    push_block(&mut text, head, lines, 0);
    text.trim_end().to_owned()
}

/// A name that the language takes.
pub fn identifier(text: &str) -> String {
    let mut name: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    let name = name.trim_matches('_');
    if name.is_empty() {
        return "unnamed".to_owned();
    }
    match name {
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => format!("n{name}"),
        // A word of the language, such as `in`, cannot be a name.
        _ if dsvm_grammar::words::is_reserved(name) => format!("the_{name}"),
        _ => name.to_owned(),
    }
}

fn key(text: &str) -> String {
    if identifier(text) == text { text.to_owned() } else { quoted(text) }
}

/// A text in quotes, with what the language escapes.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' => out.push_str("\\$"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Text over several lines, for scripts.
pub fn script(lines: &[String]) -> String {
    if let [single] = lines
        && !single.contains('\n')
    {
        return quoted(single).replace("\\$", "$").replace("${", "\\${");
    }
    let mut out = String::from("\"\"\"\n");
    for line in lines.iter().flat_map(|l| l.split('\n')) {
        let line = line.replace('\\', "\\\\").replace("${", "\\${").replace("\"\"\"", "\\\"\\\"\\\"");
        let _ = writeln!(out, "  {}", line.trim_end());
    }
    out.push_str("\"\"\"");
    out
}
