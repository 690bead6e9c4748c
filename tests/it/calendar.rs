//! `dsvmc calendar`: what ends when, as text, JSON and iCalendar.

use crate::support::TestContext;
use serde_json::Value;

const PROJECT: &str = r#"
import std.images
import std.sizes

project lab { location = westeurope }

param pinned: string = "25.06.18"
param key: ssh_key
secret param word: string

env dev { }
env prod { }

vault keys { secret entry { value = word, expires = 2027-03-01 } }

image ours {
  publisher = "microsoft-dsvm"
  offer = "ubuntu-2204"
  sku = "2204-gen2"
  version = "25.06.18"
  version_lifetime = 365 days
  os = linux
  generation = 2
  retirement { retired = 2027-06-30, successor = ubuntu_2204 }
}

pool team: interactive {
  image = ours
  size = sizes.Standard_D4s_v5
  machines = 1..4 initially 1
  admin { name = "dsvmuser", key = key }
  allow ssh from [203.0.113.0/24]
  autoscale { when avg(cpu, 10 min) > 70% { add 1 }
    when avg(cpu, 10 min) < 25% { remove 1 }
    schedule course { from = 2026-12-10, until = 2026-12-20, machines = 2..4 } }
}
"#;

#[test]
fn ends_are_sorted_and_say_where_they_are_written() {
    let cx = TestContext::new();
    cx.write("main.dsvm", PROJECT);
    let ran = cx.run("calendar --as-of 2026-12-01 --format json");
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    let ends = data["ends"].as_array().unwrap();
    let dates: Vec<&str> = ends.iter().map(|end| end["date"].as_str().unwrap()).collect();
    assert!(dates.is_sorted(), "{dates:?}");
    let of = |what: &str| ends.iter().find(|end| end["what"].as_str().unwrap().starts_with(what)).unwrap();
    assert_eq!((&of("secret")["date"], &of("secret")["line"]), (&"2027-03-01".into(), &14.into()));
    assert_eq!(of("schedule")["date"], "2026-12-20");
    assert_eq!(of("schedule")["envs"].as_array().map(Vec::len), Some(0));
    let text = cx.run("calendar --as-of 2026-12-01 --until 2027-03-01").stdout;
    assert!(text.contains("2027-03-01  in 90 days    secret `entry` of vault `keys`: the secret expires\n"), "{text}");
    assert!(!text.contains("2027-06-30"), "{text}");
}

#[test]
fn a_calendar_is_the_same_on_every_day() {
    let cx = TestContext::new();
    cx.write("main.dsvm", PROJECT);
    assert_eq!(cx.run("calendar --as-of 2026-12-01 --ics a.ics").exit, 0);
    let first = cx.read("a.ics");
    assert!(first.starts_with("BEGIN:VCALENDAR\r\n") && first.ends_with("END:VCALENDAR\r\n"), "{first}");
    assert!(
        first.contains("DTSTART;VALUE=DATE:20270301\r\nSUMMARY:lab: secret `entry` of vault `keys`\r\n"),
        "{first}"
    );
    assert_eq!(cx.run("calendar --as-of 2026-12-09 --ics a.ics").exit, 0);
    assert_eq!(cx.read("a.ics"), first);
    cx.write("a.ics", "mine");
    let ran = cx.run("calendar --as-of 2026-12-01 --ics a.ics");
    assert_eq!(ran.exit, 1);
    assert_eq!(cx.read("a.ics"), "mine");
}

#[test]
fn nothing_that_ends_is_said() {
    let cx = TestContext::new();
    cx.write("main.dsvm", "project p { }\nshare data { quota = 1 TiB, mount = \"/s\" }\n");
    assert_eq!(cx.run("calendar").stdout, "Nothing that the projects use has a known end.\n");
}
