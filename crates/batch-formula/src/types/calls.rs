//! Types of calls: functions of the language, and methods of variables that have samples.

use super::super::ast::{Expr, ExprKind, FormulaSpan, Name};
use super::super::error::{FormulaError, FormulaRule};
use super::super::names::{self, Signature, VariableKind};
use super::{Checker, SampleCall, Type};

impl Checker {
    pub(super) fn call(&mut self, name: &Name, args: &[Expr], place: FormulaSpan) -> Type {
        let Some(signature) = names::function(&name.text) else {
            let mut error = FormulaError::new(
                FormulaRule::UnknownName,
                name.place,
                format!("there is no function `{}`", name.text),
                "not a function of the formula language",
            );
            if names::METHODS.contains(&name.text.as_str()) {
                error = error.help(format!("call it on a metric: `$PendingTasks.{}(…)`", name.text));
            } else if let Some(known) = names::suggest(&name.text, names::FUNCTIONS.iter().map(|f| f.0)) {
                error = error.help(format!("did you mean `{known}`?"));
            }
            for arg in args {
                self.expr(arg);
            }
            return self.error(error);
        };
        let types: Vec<Type> = args.iter().map(|a| self.number_or_vector(a)).collect();
        match signature {
            Signature::Rand | Signature::Stop => self.exactly_none(name, args, place, signature),
            Signature::Time => match types.as_slice() {
                [] | [Type::Text | Type::Unknown] => self.time_text(args),
                _ => self.wrong_arguments(name, place, "no argument, or one string"),
            },
            Signature::VectorAndNumber => match types.as_slice() {
                [Type::Vector | Type::Unknown, Type::Double | Type::Unknown] => Type::Double,
                _ => self.wrong_arguments(name, place, "a doubleVec and a double"),
            },
            Signature::ListToNumber | Signature::ListToVector | Signature::Each => {
                if types.is_empty() || types.iter().any(|t| !matches!(t, Type::Double | Type::Vector | Type::Unknown)) {
                    return self.wrong_arguments(name, place, "numbers and vectors of numbers, at least one");
                }
                match signature {
                    Signature::ListToNumber => Type::Double,
                    Signature::Each if types.as_slice() == [Type::Double] => Type::Double,
                    _ => Type::Vector,
                }
            }
        }
    }

    fn exactly_none(&mut self, name: &Name, args: &[Expr], place: FormulaSpan, signature: Signature) -> Type {
        if !args.is_empty() {
            return self.wrong_arguments(name, place, "no argument");
        }
        if signature == Signature::Stop { Type::Nothing } else { Type::Double }
    }

    fn time_text(&mut self, args: &[Expr]) -> Type {
        if let Some(Expr { kind: ExprKind::Text(text), place }) = args.first()
            && super::super::time::read_timestamp(text).is_none()
        {
            self.error(
                FormulaError::new(
                    FormulaRule::Type,
                    *place,
                    format!("`\"{text}\"` is not a point in time"),
                    "not a time",
                )
                .note("the service reads W3C-DTF (at most seven digits of a second) and RFC 1123")
                .help("write `\"2026-12-01T08:00:00Z\"` or `\"Tue, 01 Dec 2026 08:00:00 GMT\"`"),
            );
        }
        Type::Timestamp
    }

    fn wrong_arguments(&mut self, name: &Name, place: FormulaSpan, wanted: &str) -> Type {
        self.error(FormulaError::new(
            FormulaRule::Type,
            place,
            format!("`{}` takes {wanted}", name.text),
            "called with something else",
        ))
    }

    pub(super) fn method(&mut self, object: &Expr, name: &Name, args: &[Expr], place: FormulaSpan) -> Type {
        let metric = match &object.kind {
            ExprKind::Variable(text) => {
                names::variable(text).is_some_and(|v| matches!(v.kind, VariableKind::Samples | VariableKind::Count))
            }
            _ => false,
        };
        let object_type = self.expr(object);
        let types: Vec<Type> = args.iter().map(|a| self.number_or_vector(a)).collect();
        if object_type == Type::Unknown {
            return Type::Unknown;
        }
        if !names::METHODS.contains(&name.text.as_str()) {
            let mut error = FormulaError::new(
                FormulaRule::UnknownName,
                name.place,
                format!("there is no method `{}`", name.text),
                "not a method of a metric",
            );
            if let Some(known) = names::suggest(&name.text, names::METHODS.iter().copied()) {
                error = error.help(format!("did you mean `{known}`?"));
            }
            return self.error(error);
        }
        if !metric {
            return self.error(
                FormulaError::new(
                    FormulaRule::Type,
                    object.place,
                    format!("`{}` is called on a {}, which has no samples", name.text, object_type.shown()),
                    format!("a {}", object_type.shown()),
                )
                .help("call it on a metric such as `$PendingTasks`"),
            );
        }
        if types.contains(&Type::Unknown) {
            return if name.text == "GetSample" { Type::Vector } else { Type::Unknown };
        }
        self.metric_method(name, &types, place)
    }

    fn metric_method(&mut self, name: &Name, types: &[Type], place: FormulaSpan) -> Type {
        let is_time = |t: &Type| matches!(t, Type::Interval | Type::Timestamp);
        match (name.text.as_str(), types) {
            ("GetSample", [Type::Double]) => self.sample(place, SampleCall::Last),
            ("GetSample", [a]) if is_time(a) => self.sample(place, SampleCall::Window),
            ("GetSample", [a, b]) if is_time(a) && is_time(b) => self.sample(place, SampleCall::Window),
            ("GetSample", [a, Type::Double]) if is_time(a) => self.sample(place, SampleCall::WindowOrFail),
            ("GetSample", [a, b, Type::Double]) if is_time(a) && is_time(b) => {
                self.sample(place, SampleCall::WindowOrFail)
            }
            ("GetSamplePercent", [a]) if is_time(a) => Type::Double,
            ("GetSamplePercent", [a, b]) if is_time(a) && is_time(b) => Type::Double,
            ("GetSamplePeriod", []) => Type::Interval,
            ("Count", []) => Type::Double,
            ("HistoryBeginTime", []) => Type::Timestamp,
            ("GetSample", _) => {
                self.wrong_arguments(name, place, "a number of samples, or a time frame and then a percentage")
            }
            ("GetSamplePercent", _) => self.wrong_arguments(name, place, "the start of a time frame, and its end"),
            _ => self.wrong_arguments(name, place, "no argument"),
        }
    }

    fn sample(&mut self, place: FormulaSpan, call: SampleCall) -> Type {
        self.typed.sample_calls.insert(place, call);
        Type::Vector
    }
}
