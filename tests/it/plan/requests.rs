//! How many requests a plan makes: as many as there are kinds of resources, however many there are of each.

use super::deploy::Place;
use crate::support::Ran;

const POOLS: &str = include_str!("../../../examples/03-teams/main.dsvm");
const TEAMS: &str = include_str!("../../../examples/03-teams/teams.dsvm");

fn fine(ran: Ran) -> Ran {
    assert_eq!(ran.exit, 0, "{}", ran.text());
    ran
}

/// Resources of so many teams, and requests of a plan of them.
fn counted(teams: usize) -> (usize, usize) {
    let place = Place::new();
    let row =
        |n: usize| format!("  {{ name = \"t{n}\", cost_center = \"1\", most = 2, networks = [203.0.113.0/26] }},\n");
    let head = TEAMS.split("export let").next().unwrap();
    let list: String = (0..teams).map(row).collect();
    place.cx.write("teams.dsvm", &format!("{head}export let teams: [Team] = [\n{list}]\n"));
    place.cx.write("main.dsvm", POOLS);
    fine(place.run("apply --yes main.dsvm"));
    let plan = fine(place.run("plan --trace main.dsvm"));
    let words = plan.stdout.split("all ").nth(1).unwrap_or_else(|| panic!("{}", plan.text()));
    let resources = words.split(' ').next().unwrap().parse().unwrap();
    (resources, plan.stderr.lines().filter(|line| line.starts_with("http: ")).count())
}

#[test]
fn a_plan_of_more_resources_makes_no_more_requests() {
    let (few, many) = (counted(4), counted(16));
    assert_eq!((few.0, many.0), (34, 118));
    assert_eq!(few.1, many.1, "{few:?} {many:?}");
    assert!(many.1 < 20, "{many:?}");
}
