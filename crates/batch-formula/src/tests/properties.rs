//! Whatever the text or the tree: no panic, print and parse agree, generated formulas keep their promises.

use proptest::prelude::*;

use super::super::ast::{BinaryOp, Expr, ExprKind, Formula, FormulaSpan, Name, Statement, UnaryOp};
use super::super::bounds::bounds;
use super::super::policy::{Demand, MachineRange, OnRemoval, Policy, text_of};
use super::super::samples::PoolState;
use super::super::{PoolLimits, check, check_formula, evaluate, names, parse, print};
use super::noon;

fn formula_of(policy: &Policy) -> Formula {
    parse(&text_of(policy)).unwrap()
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, place: FormulaSpan::default() }
}

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), place: FormulaSpan::default() }
}

fn any_word() -> impl Strategy<Value = String> {
    let known: Vec<&'static str> = names::VARIABLES
        .iter()
        .map(|v| v.name)
        .chain(names::INTERVALS.iter().map(|i| i.0))
        .chain(names::DEALLOCATION_OPTIONS.iter().copied())
        .chain(["a", "b", "$c"])
        .collect();
    proptest::sample::select(known).prop_map(str::to_owned)
}

fn any_function() -> impl Strategy<Value = Name> {
    let all: Vec<&'static str> = names::FUNCTIONS.iter().map(|f| f.0).collect();
    proptest::sample::select(all).prop_map(name)
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (0u32..200).prop_map(|n| expr(ExprKind::Number(f64::from(n) / 4.0))),
        (0.0f64..1e300).prop_map(|n| expr(ExprKind::Number(n))),
        any_word().prop_map(|w| expr(ExprKind::Variable(w))),
        "[a-zA-Z0-9 ,:-]{0,12}".prop_map(|t| expr(ExprKind::Text(t))),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let args = || prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            (prop_oneof![Just(UnaryOp::Negate), Just(UnaryOp::Not)], boxed())
                .prop_map(|(op, a)| expr(ExprKind::Unary(op, a))),
            (proptest::sample::select(BinaryOp::ALL.to_vec()), boxed(), boxed())
                .prop_map(|(op, a, b)| expr(ExprKind::Binary(op, a, b))),
            (boxed(), boxed(), boxed()).prop_map(|(a, b, c)| expr(ExprKind::Ternary(a, b, c))),
            (any_function(), args()).prop_map(|(f, args)| expr(ExprKind::Call(f, args))),
            (boxed(), proptest::sample::select(names::METHODS.to_vec()), args())
                .prop_map(|(a, m, args)| expr(ExprKind::Method(a, name(m), args))),
            (boxed(), proptest::sample::select(names::MEMBERS.to_vec()))
                .prop_map(|(a, m)| expr(ExprKind::Member(a, name(m)))),
        ]
    })
}

fn any_formula() -> impl Strategy<Value = Formula> {
    let statement = (prop::option::of(any_word()), any_expr()).prop_map(|(target, value)| Statement {
        target: target.map(|t| name(&t)),
        value,
        place: FormulaSpan::default(),
    });
    prop::collection::vec(statement, 0..6).prop_map(|statements| Formula { statements })
}

fn any_pool() -> impl Strategy<Value = PoolState> {
    let values = || prop::collection::vec((0u32..500).prop_map(f64::from), 0..40);
    let count = || (0u32..60).prop_map(f64::from);
    (values(), values(), values(), (count(), count()), (count(), count()), any::<u64>(), 1u32..9).prop_map(
        |(pending, active, evicted, target, current, seed, slots)| {
            let pool = PoolState { target, current, seed, task_slots: f64::from(slots), ..PoolState::empty(noon()) };
            pool.with("$PendingTasks", &pending)
                .with("$ActiveTasks", &active)
                .with("$PreemptedNodeCount", &evicted)
                .with("$CPUPercent", &[0.4, 0.9])
        },
    )
}

/// Formulas of conditionals that compare the same few numbers that they compute with.
fn any_clamps() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        proptest::sample::select(vec![
            "t",
            "m",
            "a",
            "u",
            "$TaskSlotsPerNode",
            "$CurrentDedicatedNodes",
            "t + 1",
            "t - a"
        ])
        .prop_map(str::to_owned),
        (0u32..30).prop_map(|n| n.to_string()),
    ];
    let value = leaf.prop_recursive(4, 40, 3, |inner| {
        let comparison = proptest::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
        let compared = (inner.clone(), comparison, inner.clone()).prop_map(|(l, op, r)| format!("({l}) {op} ({r})"));
        let condition = prop_oneof![
            4 => compared.clone(),
            1 => compared.clone().prop_map(|c| format!("!({c})")),
            1 => (compared.clone(), proptest::sample::select(vec!["&&", "||"]), compared)
                .prop_map(|(l, op, r)| format!("({l} {op} {r})")),
        ];
        prop_oneof![
            4 => (condition, inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
            1 => (inner.clone(), proptest::sample::select(vec!["+", "-", "*", "/"]), inner.clone())
                .prop_map(|(a, op, b)| format!("(({a}) {op} ({b}))")),
            1 => (proptest::sample::select(vec!["min", "max"]), inner.clone(), inner)
                .prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        ]
    });
    (value.clone(), value.clone(), value, 0u32..30).prop_map(|(u, t, target, m)| {
        format!(
            "m = {m}; a = max(0, $ActiveTasks.GetSample(1)); t = max(0, $PendingTasks.GetSample(1)); u = t / 2; \
             u = {u}; t = {t}; $TargetDedicatedNodes = {target}; $TargetLowPriorityNodes = t > m ? m : t;"
        )
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let machines = || (0u32..40, 0u32..40).prop_map(|(a, b)| MachineRange { least: a.min(b), most: a.max(b) });
    let demand = prop_oneof![4 => Just(Demand::PendingTasks), 1 => Just(Demand::Always)];
    let removal = prop_oneof![
        Just(OnRemoval::Requeue),
        Just(OnRemoval::Terminate),
        Just(OnRemoval::TaskCompletion),
        Just(OnRemoval::RetainedData)
    ];
    (machines(), machines(), demand, 60u32..7200, 1u32..256, any::<bool>(), removal).prop_map(
        |(dedicated, spot, demand, window, task_slots, replace_evicted, on_removal)| Policy {
            dedicated,
            spot,
            demand,
            window,
            task_slots,
            replace_evicted,
            on_removal,
        },
    )
}

proptest! {
    // PROPTEST_CASES asks for more than the usual 256
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_checked_and_evaluated_without_panic(text in "[ -~\n]{0,120}", pool in any_pool()) {
        let (formula, _) = check(&text, &PoolLimits::default());
        if let Some(formula) = formula {
            let _ = evaluate(&formula, &pool);
        }
    }

    #[test]
    fn any_words_of_the_language_do_no_harm(
        words in prop::collection::vec(proptest::sample::select(vec![
            "$PendingTasks", ".GetSample(", "1", "TimeInterval_Minute", "* 5", ")", "(", "?", ":", ";", "=",
            "$TargetDedicatedNodes", "min(", ",", "avg(", "time()", ".hour", "<", "70", "-", "!", "\"", "\n", "// x", "stop()",
        ]), 0..40),
        pool in any_pool(),
    ) {
        let text = words.join(" ");
        let (formula, _) = check(&text, &PoolLimits { dedicated: Some((0, 3)), spot: Some((0, 3)) });
        if let Some(formula) = formula {
            let _ = evaluate(&formula, &pool);
        }
    }

    #[test]
    fn any_tree_survives_print_and_parse_and_every_stage(formula in any_formula(), pool in any_pool()) {
        let text = print(&formula);
        if text.len() <= super::super::parse::MAX_BYTES {
            prop_assert_eq!(&parse(&text).unwrap(), &formula, "{}", text);
        }
        let findings = check_formula(&formula, &PoolLimits::default());
        let result = evaluate(&formula, &pool);
        // What has no error of type has a result inside its bounds, or fails on its data alone.
        if let Ok(result) = result
            && !findings.iter().any(|f| f.rule.is_error())
        {
            let set = bounds(&formula);
            let stops = text.contains("stop(");
            let (dedicated, spot) = pool.target;
            for (value, range, before) in [(result.dedicated, set.dedicated, dedicated), (result.spot, set.spot, spot)] {
                if let Some(range) = range {
                    let value = f64::from(value);
                    // A `stop()` before the assignment sets nothing: the pool keeps what it has.
                    if stops && value == before {
                        continue;
                    }
                    prop_assert!(range.low <= value && value <= range.high, "{} not in {:?} for\n{}", value, range, text);
                }
            }
        }
    }

    #[test]
    fn results_stay_inside_the_bounds_that_conditions_give(text in any_clamps(), pools in prop::collection::vec(any_pool(), 1..6)) {
        let formula = parse(&text).unwrap();
        let set = bounds(&formula);
        for pool in pools {
            // A result that is not a number of machines ends the evaluation.
            let Ok(result) = evaluate(&formula, &pool) else { continue };
            for (value, range) in [(result.dedicated, set.dedicated), (result.spot, set.spot)] {
                let (value, range) = (f64::from(value), range.unwrap());
                prop_assert!(range.low <= value && value <= range.high, "{} not in {:?} for\n{}", value, range, text);
            }
        }
    }

    #[test]
    fn the_formula_of_a_policy_is_clean_and_stays_in_its_range(policy in any_policy(), pool in any_pool()) {
        let text = text_of(&policy);
        let around = PoolLimits {
            dedicated: Some((policy.dedicated.least, policy.dedicated.most)),
            spot: Some((policy.spot.least, policy.spot.most)),
        };
        let (formula, findings) = check(&text, &around);
        prop_assert_eq!(findings, Vec::new(), "{}", text);
        let formula = formula.unwrap();
        prop_assert_eq!(&formula, &formula_of(&policy));
        let result = evaluate(&formula, &pool).unwrap();
        prop_assert!((policy.dedicated.least..=policy.dedicated.most).contains(&result.dedicated), "{}\n{:?}", text, result);
        prop_assert!((policy.spot.least..=policy.spot.most).contains(&result.spot), "{}\n{:?}", text, result);
        prop_assert_eq!(result.deallocation.as_str(), policy.on_removal.word());
    }

    #[test]
    fn every_pending_task_gets_a_slot_while_the_range_allows(tasks in 0u32..400, slots in 1u32..32, most in 1u32..50) {
        let policy = Policy {
            dedicated: MachineRange { least: 0, most },
            spot: MachineRange { least: 0, most: 0 },
            demand: Demand::PendingTasks,
            window: 300,
            task_slots: slots,
            replace_evicted: false,
            on_removal: OnRemoval::TaskCompletion,
        };
        let steady = PoolState::empty(noon()).with("$PendingTasks", &[f64::from(tasks); 10]);
        let just_started = PoolState::empty(noon()).with("$PendingTasks", &[f64::from(tasks)]);
        for pool in [steady, just_started] {
            let result = evaluate(&formula_of(&policy), &pool).unwrap();
            prop_assert_eq!(result.dedicated, tasks.div_ceil(slots).min(most));
        }
    }
}
