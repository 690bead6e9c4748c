//! Plans of several projects → one document in each format.

use super::palette::{Palette, Role};
use super::plan::{Detail, summary, terminal};
use super::plan_markdown;
use arm_plan::{Plan, SCHEMA, Summary};
use dsvm_diagnostics::count;
use dsvm_impact::Impact;
use serde_json::{Value, json};

/// The plan of one project of a tree.
#[derive(Clone, Debug, Default)]
pub struct ProjectPlan {
    /// Path of the project as people see it.
    pub path: String,
    /// Name of the project.
    pub project: String,
    /// The env; empty when there are none.
    pub env: String,
    /// Names what is compared.
    pub title: String,
    /// The changes of this project.
    pub plan: Plan,
    /// The same in the words of its source; nothing for a template.
    pub impact: Option<Impact>,
}

fn total(all: &[ProjectPlan]) -> Summary {
    all.iter().fold(Summary::default(), |mut sum, one| {
        let own = one.plan.summary;
        sum.create += own.create;
        sum.update += own.update;
        sum.replace += own.replace;
        sum.delete += own.delete;
        sum.detach += own.detach;
        sum.no_change += own.no_change;
        sum
    })
}

/// `3 projects, 1 with changes. Plan: 2 to update, 40 unchanged.`
fn last_line(all: &[ProjectPlan]) -> String {
    let changed = all.iter().filter(|one| !one.plan.is_empty()).count();
    format!("{}, {changed} with changes. {}", count(all.len(), "project"), summary(&total(all)))
}

/// For a terminal: one plan after the other, the sum at the end.
#[must_use]
pub fn human(all: &[ProjectPlan], detail: Detail, palette: Palette) -> String {
    let mut out = String::new();
    for one in all {
        out.push_str(&terminal(&one.plan, one.impact.as_ref(), &one.title, detail, palette));
        out.push('\n');
    }
    out.push_str(&palette.paint(Role::Title, &last_line(all)));
    out.push('\n');
    out
}

/// As data: `docs/plan.schema.json`, under `$defs/tree`. `quota`: what all of them mean for quotas together.
#[must_use]
pub fn json(all: &[ProjectPlan], quota: Option<Value>) -> String {
    let projects = all.iter().map(|one| {
        json!({ "path": one.path, "project": one.project, "env": one.env, "title": one.title,
            "plan": super::plan::data(&one.plan, one.impact.as_ref()) })
    });
    let projects: Vec<Value> = projects.collect();
    let mut document = json!({ "schema": SCHEMA, "summary": total(all), "projects": projects });
    if let (Some(quota), Some(map)) = (quota, document.as_object_mut()) {
        map.insert("quota".to_owned(), quota);
    }
    format!("{document:#}\n")
}

/// SARIF 2.1.0: one run with the changes of all.
#[must_use]
pub fn sarif(all: &[ProjectPlan]) -> String {
    let mut whole = Plan { schema: SCHEMA, ..Plan::default() };
    for one in all {
        whole.changes.extend(one.plan.changes.iter().cloned());
    }
    super::sarif::plan(&whole)
}

/// One comment, below what a forge takes: a section for each project with changes, the others in one line.
#[must_use]
pub fn markdown(all: &[ProjectPlan]) -> String {
    /// A section in less room than this says nothing.
    const LEAST: usize = 1_500;
    let mut out = format!("## dsvmc plan: {}\n", plan_markdown::escape(&last_line(all)));
    let (changed, quiet): (Vec<&ProjectPlan>, Vec<&ProjectPlan>) = all.iter().partition(|one| !one.plan.is_empty());
    let footer = 2_000;
    // The quotas come behind it.
    let room = plan_markdown::LIMIT - footer - super::plan_quota::ROOM;
    let mut left = changed.len();
    let mut cut = Vec::new();
    for one in changed {
        // What a short section leaves goes to those after it.
        let share = (room.saturating_sub(out.len()) / left.max(1)).max(LEAST);
        left -= 1;
        let section = plan_markdown::within(&one.plan, one.impact.as_ref(), &one.title, share);
        if !cut.is_empty() || out.len() + 1 + section.len() > room {
            cut.push(one);
            continue;
        }
        out.push('\n');
        out.push_str(&section);
    }
    for (what, some) in [("With more changes", &cut), ("Nothing to do", &quiet)] {
        if !some.is_empty() {
            out.push_str(&format!("\n{what}: {}.\n", names(some, footer / 2 - 100)));
        }
    }
    out
}

fn names(some: &[&ProjectPlan], room: usize) -> String {
    let mut out = String::new();
    for (at, one) in some.iter().enumerate() {
        let name = plan_markdown::code(&one.path);
        if out.len() + name.len() > room {
            out.push_str(&format!(" and {} more", some.len() - at));
            break;
        }
        out.push_str(if at > 0 { ", " } else { "" });
        out.push_str(&name);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use arm_plan::{Desired, DiffOptions, Observed, diff};

    fn planned(number: usize, resources: usize) -> ProjectPlan {
        let id = |n| {
            format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/a-pool-{n}")
        };
        let all: Vec<Value> =
            (0..resources).map(|n| json!({ "id": id(n), "tags": { "text": "x".repeat(200) } })).collect();
        let plan = diff(&Desired::from_resources(&all), &Observed::default(), &DiffOptions::default());
        ProjectPlan {
            path: format!("pools/{number}"),
            project: format!("p{number}"),
            title: format!("project p{number} on local"),
            plan,
            ..ProjectPlan::default()
        }
    }

    #[test]
    fn a_comment_holds_every_tree() {
        for (projects, resources) in [(2, 3), (3, 2_000), (40, 60), (3_000, 2)] {
            let mut all: Vec<ProjectPlan> = (0..projects).map(|n| planned(n, resources)).collect();
            all.push(planned(projects, 0));
            let text = markdown(&all);
            assert!(text.len() < 65_536, "{projects} projects: {}", text.len());
            assert!(text.contains(&format!("{} projects, {projects} with changes", projects + 1)), "{text:.300}");
            assert!(text.contains("### dsvmc plan: project p0 on local"));
            assert_eq!(text.contains("With more changes"), projects == 3_000);
            assert!(text.contains(&format!("Nothing to do: `pools/{projects}`.")));
        }
    }
}
