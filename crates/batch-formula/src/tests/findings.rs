//! Each mistake gives one finding at its place; each result is what the service's documentation says.

use super::super::bounds::bounds;
use super::super::error::FormulaRule;
use super::super::samples::PoolState;
use super::super::{PoolLimits, check, parse, print};
use super::{noon, run};

fn under(text: &str, place: super::super::FormulaSpan) -> &str {
    text.get(place.start as usize..place.end as usize).unwrap()
}

/// Rule and underlined text of every finding.
fn found(text: &str) -> Vec<(FormulaRule, &str)> {
    found_in(text, &PoolLimits::default())
}

fn found_in<'a>(text: &'a str, around: &PoolLimits) -> Vec<(FormulaRule, &'a str)> {
    let (_, findings) = check(text, around);
    findings.iter().map(|f| (f.rule, under(text, f.place))).collect()
}

const GOOD: &str = "n = avg($PendingTasks.GetSample(TimeInterval_Minute * 5));\n\
                    $TargetDedicatedNodes = max(0, min(8, n));\n$NodeDeallocationOption = taskcompletion;";

#[test]
fn a_good_formula_has_no_finding() {
    assert_eq!(found(GOOD), []);
}

#[test]
fn syntax_mistakes_are_underlined_where_they_are() {
    assert_eq!(found("$TargetDedicatedNodes = min(3, 4"), [(FormulaRule::Syntax, "(")]);
    assert_eq!(found("a = 1 b = 2;"), [(FormulaRule::Syntax, "1")]);
    assert_eq!(found("a = 1 + ;"), [(FormulaRule::Syntax, ";")]);
    assert_eq!(found("a = 1 +"), [(FormulaRule::Syntax, "+")]);
    assert_eq!(found("a = [1, 2];"), [(FormulaRule::Syntax, "[")]);
    assert_eq!(found("a = 3 ? 1;"), [(FormulaRule::Syntax, ";")]);
    assert_eq!(found("a = time(\"Mon);"), [(FormulaRule::Syntax, "\"")]);
    assert_eq!(found("a = 70%;"), [(FormulaRule::Syntax, "%")]);
    assert_eq!(found("a = b = 1;"), [(FormulaRule::Syntax, "=")]);
    assert_eq!(found("$TargetDedicatedNodes = {max_nodes};"), [(FormulaRule::Syntax, "{")]);
}

#[test]
fn the_limits_of_the_service_hold() {
    let long = format!("// {}\n$TargetDedicatedNodes = 1;", "x".repeat(8200));
    assert_eq!(found(&long)[0].0, FormulaRule::Limit);
    let many = "a = 1;".repeat(101);
    assert_eq!(found(&many), [(FormulaRule::Limit, "a = 1")]);
    assert!(parse(&"a = 1;".repeat(100)).is_ok());
    assert_eq!(found(&format!("a = {}1{};", "(".repeat(300), ")".repeat(300)))[0].0, FormulaRule::Limit);
    assert_eq!(found(&format!("a = 1{};", "+1".repeat(300)))[0].0, FormulaRule::Limit);
    assert_eq!(found(&format!("a = {}1;", "-".repeat(300)))[0].0, FormulaRule::Limit);
}

#[test]
fn unknown_names_get_a_suggestion() {
    let cases = [
        ("$TargetDedicatedNodes = $PendingTask.GetSample(1);", "$PendingTask", "did you mean `$PendingTasks`?"),
        ("$TargetDedicatedNodes = avrg(1, 2);", "avrg", "did you mean `avg`?"),
        ("$TargetDedicatedNodes = val($PendingTasks.GetSamples(1), 0);", "GetSamples", "did you mean `GetSample`?"),
        (
            "$TargetDedicatedNodes = TimeInterval_Minutes / 2;",
            "TimeInterval_Minutes",
            "did you mean `TimeInterval_Minute`?",
        ),
        ("$TargetDedicatedNode = 3;", "$TargetDedicatedNode", "write `$TargetDedicatedNodes`"),
        (
            "$targetDedicatedNodes = 3; $TargetDedicatedNodes = 1;",
            "$targetDedicatedNodes",
            "write `$TargetDedicatedNodes`",
        ),
        ("limit = 3; $TargetDedicatedNodes = limt;", "limt", "did you mean `limit`?"),
    ];
    for (text, underlined, help) in cases {
        let (_, findings) = check(text, &PoolLimits::default());
        let first = &findings[0];
        assert_eq!(first.rule, FormulaRule::UnknownName, "{text}");
        assert_eq!(under(text, first.place), underlined, "{text}");
        assert_eq!(first.help, [help], "{text}");
    }
}

#[test]
fn types_follow_the_table_of_the_service() {
    assert_eq!(
        found("$TargetDedicatedNodes = $PendingTasks.GetSample(1);"),
        [(FormulaRule::Type, "$PendingTasks.GetSample(1)")]
    );
    assert_eq!(found("$TargetDedicatedNodes = $PendingTasks;"), [(FormulaRule::Type, "$PendingTasks")]);
    assert_eq!(found("$TargetDedicatedNodes = time();"), [(FormulaRule::Type, "time()")]);
    assert_eq!(found("a = time() - TimeInterval_Hour;"), [(FormulaRule::Type, "time() - TimeInterval_Hour")]);
    assert_eq!(found("a = \"x\" + 1;"), [(FormulaRule::Type, "\"x\" + 1")]);
    assert_eq!(found("a = 1 ? 2 : time();"), [(FormulaRule::Type, "time()")]);
    assert_eq!(found("$NodeDeallocationOption = \"requeue\";"), [(FormulaRule::Type, "\"requeue\"")]);
    assert_eq!(found("$CPUPercent = 3;"), [(FormulaRule::ReadOnly, "$CPUPercent")]);
    assert_eq!(found("a = min();"), [(FormulaRule::Type, "min()")]);
    assert_eq!(found("a = $PendingTasks.GetSample(70, TimeInterval_Minute);")[0].0, FormulaRule::Type);
    assert_eq!(found("a = time().weekDay;"), [(FormulaRule::UnknownName, "weekDay")]);
    assert_eq!(found("a = time(\"tomorrow\");"), [(FormulaRule::Type, "\"tomorrow\"")]);
    assert_eq!(found("3 + 4;"), [(FormulaRule::Type, "3 + 4")]);
    assert_eq!(found("a = 2 * vec(1, 2);")[0].0, FormulaRule::Type);
    // One mistake, one finding: what depends on a wrong value is not wrong as well.
    assert_eq!(found("a = nothere; b = a + time(); $TargetDedicatedNodes = b;").len(), 1);
}

#[test]
fn rules_find_what_the_service_accepts_and_nobody_wants() {
    let end = "$NodeDeallocationOption = taskcompletion;";
    let with = |body: &str| format!("{body}{end}");
    let unguarded = with("$TargetDedicatedNodes = min(9, max($PendingTasks.GetSample(TimeInterval_Minute, 70)));");
    assert_eq!(found(&unguarded), [(FormulaRule::UnguardedSample, "$PendingTasks.GetSample(TimeInterval_Minute, 70)")]);
    let guarded = with(
        "p = $PendingTasks.GetSamplePercent(TimeInterval_Minute); \
         $TargetDedicatedNodes = min(9, p < 70 ? 1 : max($PendingTasks.GetSample(TimeInterval_Minute, 70)));",
    );
    assert_eq!(found(&guarded), []);
    let lone = with("$TargetDedicatedNodes = min(9, $PendingTasks.GetSample(1));");
    assert_eq!(found(&lone), [(FormulaRule::LoneSample, "$PendingTasks.GetSample(1)")]);
    let active = with("$TargetDedicatedNodes = min(9, $ActiveTasks.GetSample(TimeInterval_Minute));");
    assert_eq!(found(&active), [(FormulaRule::RunningIgnored, "$ActiveTasks")]);
    let open = with("$TargetDedicatedNodes = avg($PendingTasks.GetSample(TimeInterval_Minute));");
    assert_eq!(
        found(&open),
        [(FormulaRule::Unbounded, "$TargetDedicatedNodes = avg($PendingTasks.GetSample(TimeInterval_Minute))")]
    );
    assert_eq!(found("$TargetDedicatedNodes = 3;"), [(FormulaRule::NoDeallocation, "$TargetDedicatedNodes = 3")]);
    let down = with("n = avg($PendingTasks.GetSample(TimeInterval_Minute)) / 4; $TargetDedicatedNodes = min(9, n);");
    assert_eq!(found(&down), [(FormulaRule::RoundedDown, "avg($PendingTasks.GetSample(TimeInterval_Minute)) / 4")]);
    let up =
        with("n = (avg($PendingTasks.GetSample(TimeInterval_Minute)) + 3) / 4; $TargetDedicatedNodes = min(9, n);");
    assert_eq!(found(&up), []);
    let cpu = with("$TargetDedicatedNodes = avg($CPUPercent.GetSample(TimeInterval_Hour)) > 70 ? 4 : 2;");
    assert_eq!(found(&cpu), [(FormulaRule::CpuScale, "70")]);
    assert_eq!(found("$NodeDeallocationOption = requeue; x = 1;"), [(FormulaRule::NoTarget, "x = 1")]);
}

#[test]
fn running_tasks_may_be_left_out_only_where_they_are_spared() {
    use dsvm_diagnostics::Severity::{Error, Warning};
    let body = "$TargetDedicatedNodes = min(9, $ActiveTasks.GetSample(TimeInterval_Minute));";
    let severity = |option: &str| {
        let (_, found) = check(&format!("{body}$NodeDeallocationOption = {option};"), &PoolLimits::default());
        found.iter().find(|f| f.rule == FormulaRule::RunningIgnored).map(|f| f.severity)
    };
    assert_eq!(severity("taskcompletion"), Some(Warning));
    assert_eq!(severity("retaineddata"), Some(Warning));
    assert_eq!(severity("requeue"), Some(Error));
    assert_eq!(severity("1 > 0 ? taskcompletion : terminate"), Some(Error));
}

#[test]
fn a_formula_stays_inside_the_range_of_its_pool() {
    let around = PoolLimits { dedicated: Some((1, 8)), spot: None };
    let titles = |text: &str| check(text, &around).1.into_iter().map(|f| f.title).collect::<Vec<_>>();
    assert_eq!(titles(GOOD), ["the formula can ask for 0 machines, the pool starts at 1"]);
    assert_eq!(titles(&GOOD.replace("max(0", "max(1")), Vec::<String>::new());
    let high = GOOD.replace("min(8", "min(25").replace("max(0", "max(1");
    assert_eq!(titles(&high), ["the formula can ask for 25 machines, the pool ends at 8"]);
}

#[test]
fn printing_keeps_what_brackets_mean() {
    for (written, printed) in [
        ("a=1-(2-3);", "a = 1 - (2 - 3);\n"),
        ("a=(1-2)-3", "a = 1 - 2 - 3;\n"),
        ("a=-(1+2)*3;", "a = -(1 + 2) * 3;\n"),
        ("a=(x?1:2)?3:4?5:6;", "a = (x ? 1 : 2) ? 3 : 4 ? 5 : 6;\n"),
        ("a=(time()).hour;", "a = time().hour;\n"),
        ("stop();", "stop();\n"),
        ("// nothing but a comment", ""),
    ] {
        assert_eq!(print(&parse(written).unwrap()), printed);
        assert_eq!(parse(printed).unwrap(), parse(written).unwrap());
    }
}

#[test]
fn documented_ways_to_ask_for_samples_give_documented_samples() {
    // Ten minutes of which the last one has not arrived: 18 of 20 samples.
    let pool = PoolState::empty(noon()).with_delay("$CPUPercent", &[0.5; 18], 60);
    let sample = |call: &str| run(&format!("a = {call};"), &pool);
    assert!(sample("len($CPUPercent.GetSample(TimeInterval_Minute * 10))").ends_with(";a=18"));
    assert!(sample("len($CPUPercent.GetSample(TimeInterval_Minute * 10, 80))").ends_with(";a=18"));
    assert_eq!(
        sample("avg($CPUPercent.GetSample(TimeInterval_Minute * 10, 95))"),
        "Line 1, Col 9: Insufficient data from data set: $CPUPercent wanted 95%, received 90%"
    );
    // From six minutes ago to one minute ago there are ten.
    assert!(
        sample("$CPUPercent.GetSample(1 * TimeInterval_Minute, 6 * TimeInterval_Minute)")
            .ends_with(";a=[0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5]")
    );
    assert!(sample("$CPUPercent.GetSamplePercent(TimeInterval_Minute * 10)").ends_with(";a=90"));
    assert!(sample("$CPUPercent.GetSamplePeriod()").ends_with(";a=00:00:30"));
    assert!(sample("$CPUPercent.Count()").ends_with(";a=18"));
    assert!(sample("$CPUPercent.HistoryBeginTime()").ends_with(";a=2026-11-23T11:50:30.000Z"));
    // A new pool has none.
    assert!(run("a = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);", &pool).ends_with(";a=0"));
}

#[test]
fn functions_compute_what_the_documentation_says() {
    let pool = PoolState::empty(noon());
    let value = |call: &str| run(&format!("a = {call};"), &pool).rsplit(";a=").next().unwrap().to_owned();
    for (call, expected) in [
        ("avg(vec(1, 2, 3))", "2"),
        ("avg(vec(1, 2, 3), 7)", "3.25"),
        ("avg(1, 2, 3, 7)", "3.25"),
        ("len(vec(1, 2, 3), 4)", "4"),
        ("lg(8)", "3"),
        ("lg(vec(8), 2)", "[3,1]"),
        ("log(vec(100))", "[2]"),
        ("ln(1)", "0"),
        ("norm(3, 4)", "5"),
        ("range(5, 2, 9)", "7"),
        ("std(2, 4, 4, 4, 5, 5, 7, 9) > 2.138 && std(2, 4, 4, 4, 5, 5, 7, 9) < 2.139", "1"),
        ("std(4)", "0"),
        ("sum(1, vec(2, 3))", "6"),
        ("percentile(vec(5, 1, 4, 2, 3), 50)", "3"),
        ("percentile(vec(5, 1, 4, 2, 3), 100)", "5"),
        ("val(vec(5, 6), 1)", "6"),
        ("ceil(2.1) + floor(2.9) + round(2.5)", "8"),
        ("vec(1, 2) + 1", "[2,3]"),
        ("vec(1, 2) * vec(3, 4)", "[3,8]"),
        ("2 * TimeInterval_Minute - TimeInterval_Second", "00:01:59"),
        ("time(\"2026-11-23T12:00:00Z\") - time(\"Mon, 23 Nov 2026 10:30:00 GMT\")", "01:30:00"),
        ("time() + (-6 * TimeInterval_Hour)", "2026-11-23T06:00:00.000Z"),
        ("time().weekday", "1"),
        ("!0 + !5", "1"),
        ("0 || 3", "1"),
        ("\"a\" < \"b\"", "1"),
        ("TimeInterval_Hour == 60 * TimeInterval_Minute", "1"),
    ] {
        assert_eq!(value(call), expected, "{call}");
    }
    assert_eq!(run("a = val(vec(5), 1);", &pool), "Line 1, Col 5: index 1 is outside a vector of 1 numbers");
    assert_eq!(run("a = 1;\nb =\n  avg($CPUPercent.GetSample(1));", &pool), "Line 3, Col 3: `avg` of no numbers");
}

#[test]
fn targets_are_cut_to_whole_numbers_and_full_names_win() {
    let pool = PoolState { target: (7.0, 1.0), ..PoolState::empty(noon()) };
    let start = |text: &str| run(text, &pool).split(";$Node").next().unwrap().to_owned();
    assert_eq!(start("$TargetDedicatedNodes = 2.9;"), "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=1");
    assert_eq!(start("$TargetDedicatedNodes = 0 - 3;"), "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=1");
    assert_eq!(
        start("$TargetDedicatedNodes = 4; $TargetDedicated = 5;"),
        "$TargetDedicatedNodes=4;$TargetLowPriorityNodes=1"
    );
    assert_eq!(
        start("$TargetDedicated = 5; $TargetDedicatedNodes = 4;"),
        "$TargetDedicatedNodes=4;$TargetLowPriorityNodes=1"
    );
    assert_eq!(
        start("$TargetLowPriority = 5; stop(); $TargetLowPriority = 6;"),
        "$TargetDedicatedNodes=7;$TargetLowPriorityNodes=5"
    );
    assert_eq!(start("x = 1;"), "$TargetDedicatedNodes=7;$TargetLowPriorityNodes=1");
    assert_eq!(
        run("$TargetDedicatedNodes = 1 / 0;", &pool),
        "Line 1, Col 25: $TargetDedicatedNodes is set to inf, which is not a number of machines"
    );
}

#[test]
fn random_numbers_come_from_the_seed() {
    let text = "a = rand(); b = rand();";
    let with = |seed| run(text, &PoolState { seed, ..PoolState::empty(noon()) });
    assert_eq!(with(7), with(7));
    assert_ne!(with(7), with(8));
}

#[test]
fn an_evaluation_that_would_never_end_is_ended() {
    let doubling = format!("v = vec(1, 2);{}", "v = vec(v, v);".repeat(90));
    assert!(run(&doubling, &PoolState::empty(noon())).contains("a vector exceeds 100000 numbers"));
}

#[test]
fn samples_files_say_what_is_wrong_with_them() {
    let read = |text: &str| PoolState::from_json(&serde_json::from_str(text).unwrap(), None);
    let good = r#"{"now": "2026-11-23T12:00:00Z", "current": {"dedicated": 2}, "target": {"dedicated": 3, "spot": 1},
        "task_slots": 4, "samples": {"$PendingTasks": [1, 2], "ActiveTasks": [{"time": "2026-11-23T11:00:00Z", "value": 5}]}}"#;
    let pool = read(good).unwrap();
    assert_eq!((pool.target, pool.current, pool.task_slots), ((3.0, 1.0), (2.0, 0.0), 4.0));
    assert!(run("a = $ActiveTasks.GetSample(9); b = $PendingTasks.GetSample(9);", &pool).ends_with(";a=[5];b=[1,2]"));
    let now = r#""now": "2026-11-23T12:00:00Z""#;
    for (text, message) in [
        ("[]".to_owned(), "the samples are not a JSON object"),
        ("{}".to_owned(), "no time is given: write `\"now\": \"…\"` or use `--at`"),
        (
            format!("{{{now}, \"sample\": {{}}}}"),
            "`sample` is not a key of the samples; they are now, seed, target, current, task_slots, samples",
        ),
        (
            format!("{{{now}, \"samples\": {{\"$PendingTask\": [1]}}}}"),
            "`$PendingTask` is not a metric of the service; did you mean `$PendingTasks`?",
        ),
        (
            format!("{{{now}, \"samples\": {{\"$PendingTasks\": [\"x\"]}}}}"),
            "`$PendingTasks` is neither a list of numbers nor a list of `{ time, value }`",
        ),
        (format!("{{{now}, \"target\": {{\"low\": 1}}}}"), "`target.low` is not known; write `dedicated` or `spot`"),
    ] {
        assert_eq!(read(&text).unwrap_err(), message);
    }
}

/// The numbers of dedicated machines that a formula can ask for, with `t` as any number of tasks.
fn reach(body: &str) -> (f64, f64) {
    let text = format!("t = sum($PendingTasks.GetSample(TimeInterval_Minute)); m = 10; {body}");
    let range = bounds(&parse(&text).unwrap()).dedicated.unwrap();
    (range.low, range.high)
}

#[test]
fn a_conditional_bounds_what_its_condition_compares() {
    for (body, wanted) in [
        ("t > m ? m : t", (0.0, 10.0)),
        ("t >= m ? m : t", (0.0, 10.0)),
        ("t >= m ? 4 : t", (0.0, 9.0)),
        ("t < m ? t : m", (0.0, 10.0)),
        ("t <= m ? t : m", (0.0, 10.0)),
        ("m < t ? m : t", (0.0, 10.0)),
        ("!(t > m) ? t : m", (0.0, 10.0)),
        ("t > m || t < 2 ? 2 : t", (2.0, 10.0)),
        ("t <= m && t >= 3 ? t : 3", (3.0, 10.0)),
        ("t > m ? m : (t < 4 ? 4 : t)", (4.0, 10.0)),
        ("t == 7 ? t : 5", (5.0, 7.0)),
        ("t != 7 ? 5 : t", (5.0, 7.0)),
        ("t + 1 > m ? m : t + 1", (1.0, 10.0)),
        ("min(m, t)", (0.0, 10.0)),
    ] {
        assert_eq!(reach(&format!("$TargetDedicatedNodes = {body};")), wanted, "{body}");
    }
    // The clamp may be a variable of its own, or the variable itself.
    assert_eq!(reach("n = t > m ? m : t; $TargetDedicatedNodes = n;"), (0.0, 10.0));
    assert_eq!(reach("t = t > m ? m : t; $TargetDedicatedNodes = t;"), (0.0, 10.0));
}

#[test]
fn a_conditional_that_bounds_nothing_is_still_unbounded() {
    for body in [
        // the wrong way round
        "t > m ? t : m",
        // another variable
        "u = t; $TargetLowPriorityNodes = 0; $TargetDedicatedNodes = t > m ? m : u",
        // either may hold
        "t <= m || t > 20 ? t : m",
        // a new number each time
        "1000 * rand() > m ? m : 1000000 * rand() * t",
        // the assumption ends with its branch
        "(t > m ? m : t) + t",
        // no comparison with NaN holds
        "z = t * 0; q = z / z; $TargetDedicatedNodes = q > m ? m : max(t, min(q, 1000))",
    ] {
        let body = if body.contains("$TargetDedicatedNodes") {
            body.to_owned()
        } else {
            format!("$TargetDedicatedNodes = {body}")
        };
        assert_eq!(reach(&format!("{body};")).1, f64::INFINITY, "{body}");
    }
}

#[test]
fn conditions_inside_conditions_are_looked_at_once() {
    // Looked at again at each level, the innermost would be looked at more than 2^60 times.
    let mut text = "t".to_owned();
    for _ in 0..60 {
        text = format!("({text} > 3 ? 2 : 1)");
    }
    assert_eq!(reach(&format!("$TargetDedicatedNodes = {text};")), (1.0, 2.0));
}
