//! Needs of projects → the demand of each limit.

use super::names::{Quota, Scope};
use super::needs::Need;
use std::collections::{BTreeMap, BTreeSet};

/// A project, and what it needs with the values of each env.
#[derive(Clone, Debug)]
pub struct Project {
    /// As its `project` block names it.
    pub name: String,
    /// Env and needs; `""` stands for the defaults of a project without envs.
    pub envs: Vec<(String, Vec<Need>)>,
    /// What is deployed of an env already, where that was read.
    pub deployed: Vec<(String, Vec<Need>)>,
}

/// What a project adds to a demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of the project.
    pub project: String,
    /// The env that asks for the most; empty for defaults.
    pub env: String,
    /// How much of it is known.
    pub number: u64,
    /// How much of that env is deployed already.
    pub deployed: u64,
}

/// The demand of one limit.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where the limit holds.
    pub scope: Scope,
    /// What of the services it counts against.
    pub quota: Quota,
    /// The part of the demand that is known.
    pub number: u64,
    /// What is deployed of it already, and so a part of what is used.
    pub deployed: u64,
    /// What asks for a number that only the deployment knows.
    pub unknown: BTreeSet<String>,
    /// What the known part consists of.
    pub parts: Vec<Part>,
}

/// The env of a project that asks for the most of a limit.
#[derive(Clone)]
struct Largest<'e> {
    number: u64,
    deployed: u64,
    env: &'e str,
    unknown: BTreeSet<String>,
}

impl Largest<'_> {
    fn grows(&self) -> i128 {
        i128::from(self.number) - i128::from(self.deployed)
    }
}

/// Known part and what is unknown of one env's demand.
type Sums = BTreeMap<(Scope, Quota), (u64, BTreeSet<String>)>;

fn of_env(needs: &[Need]) -> Sums {
    let mut sums = Sums::new();
    for need in needs {
        let (number, unknown) = sums.entry((need.scope.clone(), need.quota.clone())).or_default();
        match need.number {
            Some(more) => *number = number.saturating_add(more),
            None => {
                unknown.insert(need.what.clone());
            }
        }
    }
    sums
}

/// Adds up projects that share a subscription. Of a project with several envs the one counts that asks for the most of a limit
/// beyond what is deployed of it, limit by limit: its envs may be deployed one after another, and what holds for the largest holds
/// for all.
#[must_use]
pub fn sum(projects: &[Project]) -> Vec<Line> {
    let mut lines: BTreeMap<(Scope, Quota), Line> = BTreeMap::new();
    for project in projects {
        let mut largest: BTreeMap<(Scope, Quota), Largest<'_>> = BTreeMap::new();
        for (env, needs) in &project.envs {
            let there = project.deployed.iter().find(|(name, _)| name == env).map(|(_, needs)| of_env(needs));
            for (key, (number, unknown)) in of_env(needs) {
                let deployed = there.as_ref().and_then(|there| there.get(&key)).map_or(0, |(number, _)| *number);
                let this = Largest { number, deployed, env, unknown: BTreeSet::new() };
                let most = largest.entry(key).or_insert_with(|| this.clone());
                if this.grows() > most.grows() {
                    (most.number, most.deployed, most.env) = (number, deployed, env);
                }
                most.unknown.extend(unknown);
            }
        }
        for ((scope, quota), Largest { number, deployed, env, unknown }) in largest {
            let line = lines.entry((scope.clone(), quota.clone())).or_insert_with(|| Line {
                scope,
                quota,
                number: 0,
                deployed: 0,
                unknown: BTreeSet::new(),
                parts: Vec::new(),
            });
            line.number = line.number.saturating_add(number);
            line.deployed = line.deployed.saturating_add(deployed);
            line.unknown.extend(unknown.into_iter().map(|what| format!("{what} of {}", project.name)));
            line.parts.push(Part { project: project.name.clone(), env: env.to_owned(), number, deployed });
        }
    }
    lines.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Service;
    use proptest::prelude::*;

    fn need(region: &str, name: &str, number: Option<u64>) -> Need {
        Need {
            scope: Scope::Region(Some(region.to_owned())),
            quota: Quota::of_family(Service::Compute, name),
            number,
            what: "pool `x`".to_owned(),
        }
    }

    #[test]
    fn projects_add_up_and_envs_do_not() {
        let one = Project {
            name: "one".to_owned(),
            envs: vec![
                ("dev".to_owned(), vec![need("westeurope", "standardDSv3Family", Some(8))]),
                ("prod".to_owned(), vec![need("westeurope", "StandardDSv3family", Some(40))]),
            ],
            deployed: Vec::new(),
        };
        let two = Project {
            name: "two".to_owned(),
            envs: vec![(String::new(), vec![need("westeurope", "standard DSv3 Family", Some(16))])],
            deployed: Vec::new(),
        };
        let lines = sum(&[one, two]);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines.first().map(|line| line.number), Some(56));
        assert_eq!(lines.first().and_then(|line| line.parts.first()).map(|part| part.env.as_str()), Some("prod"));
    }

    #[test]
    fn the_env_counts_that_is_not_deployed_yet() {
        let of = |number| vec![need("westeurope", "standardDSv3Family", Some(number))];
        let project = Project {
            name: "one".to_owned(),
            envs: vec![("dev".to_owned(), of(8)), ("prod".to_owned(), of(40))],
            deployed: vec![("prod".to_owned(), of(36))],
        };
        let lines = sum(&[project]);
        let line = lines.first().map(|line| (line.number, line.deployed));
        assert_eq!(line, Some((8, 0)), "8 more than now, and prod only 4 more");
    }

    #[test]
    fn what_is_unknown_is_told_and_is_not_0() {
        let project = Project {
            name: "one".to_owned(),
            envs: vec![(String::new(), vec![need("a", "f", None), need("a", "f", Some(4))])],
            deployed: Vec::new(),
        };
        let lines = sum(&[project]);
        let line = lines.first().map(|line| (line.number, line.unknown.len()));
        assert_eq!(line, Some((4, 1)));
    }

    fn any_need() -> impl Strategy<Value = Need> {
        ("[ab]", "[fgF ]{1,2}", proptest::option::of(0..1000u64)).prop_map(|(region, name, n)| need(&region, &name, n))
    }

    proptest! {
        #[test]
        fn one_need_more_lowers_nothing(
            envs in proptest::collection::vec(proptest::collection::vec(any_need(), 0..6), 1..4),
            more in any_need(),
            at in 0..3usize,
        ) {
            let project = |envs: &[Vec<Need>]| Project {
                name: "p".to_owned(),
                envs: envs.iter().enumerate().map(|(at, needs)| (at.to_string(), needs.clone())).collect(),
                deployed: Vec::new(),
            };
            let before = sum(&[project(&envs)]);
            let mut grown = envs.clone();
            let at = at % grown.len();
            if let Some(env) = grown.get_mut(at) {
                env.push(more);
            }
            let after = sum(&[project(&grown)]);
            for line in before {
                let same = after.iter().find(|one| one.scope == line.scope && one.quota == line.quota);
                prop_assert!(same.is_some_and(|one| one.number >= line.number && one.unknown.is_superset(&line.unknown)));
            }
        }
    }
}
