//! Rows of autoscale policies.

use super::choices::{Count, MetricSource, StepSize, ZoneName};
use super::schema::blocks;
use super::types::{IntIn, List, Seconds, Text, TimeOfDay};
use super::words::{Across, PredictMode, Shrink, Wake};
use super::{Head, Part};
use crate::value::{Condition, Days};
use jiff::civil::Date;

blocks! {
    /// When a pool grows and shrinks. Inside a pool it has no name; with a name at top level it is a policy that
    /// pools share (`autoscale = office_hours`).
    Autoscale {
        head: Head::OptionalName, top_level;
        fields {
            /// Time zone of the schedules, by its Windows name.
            timezone: ZoneName<'static> = "\"UTC\"", early;
            /// Number of machines to scale to when metrics cannot be read and there are fewer; the minimum of the pool
            /// if omitted.
            without_metrics: i64;
            /// Whose metrics rules mean that measure something else than the pool, such as the length of a queue: a
            /// declared block or a resource id. A rule can name its own.
            of: MetricSource<'static>;
            /// What brings a pool back from zero machines. Detected automatically for schedules and for metrics of
            /// other resources; `manual` means that a person does it.
            wake: Wake, early;
            /// `manual`: no rule makes the pool smaller, and that is intended. A person removes machines.
            shrink: Shrink, early;
            /// Whether the policy is active.
            enabled: bool = "true", early;
        }
        children {
            rules: any When;
            schedules: any Schedule;
            predict: one Predict;
            notify: one Notify;
        }
    }

    /// A rule: what must be seen, and what then happens. The pool grows when any growing rule holds and shrinks
    /// when all shrinking rules do.
    When {
        head: Head::Phrase(&[Part::Field("condition")]);
        fields {
            /// An aggregate over time of a metric, compared: `avg(cpu, 10 min) > 75%`. Windows last 5 minutes to 12
            /// hours.
            condition: Condition, required, early;
            /// How the values of the machines become one.
            across: Across = "average", early;
            /// Step between two readings of the metric.
            grain: Seconds = "1 min", early;
            /// Divide a sum or count by the number of machines.
            per_machine: bool = "false", early;
            /// Whose metric it is when not the pool's own: a declared block or a resource id, for instance of a
            /// queue.
            of: MetricSource<'static>;
            /// Namespace of a metric with an Azure name, for instance `Microsoft.ServiceBus/namespaces`.
            namespace: Text, early;
        }
        children {
            add: one Add;
            remove: one Remove;
            set: one Set;
            cooldown: one Cooldown;
        }
    }

    /// Machines to add: `add 1`, `add 20%`.
    Add {
        head: Head::Phrase(&[Part::Field("by")]);
        fields {
            /// How many, or which part of the present number.
            by: StepSize, required, early;
        }
    }

    /// Machines to remove: `remove 1`, `remove 10%`.
    Remove {
        head: Head::Phrase(&[Part::Field("by")]);
        fields {
            /// How many, or which part of the present number.
            by: StepSize, required, early;
        }
    }

    /// An exact number of machines: `set 3`.
    Set {
        head: Head::Phrase(&[Part::Field("to")]);
        fields {
            /// How many; autoscale sets no exact zero.
            to: IntIn<1, 1000>, required, early;
        }
    }

    /// Pause after the rule has acted: `cooldown 5 min`; 1 minute to 1 week, 5 minutes if omitted.
    Cooldown {
        head: Head::Phrase(&[Part::Field("time")]);
        fields {
            /// How long the machines rest.
            time: Seconds, required, early;
        }
    }

    /// Other limits at certain times: days of the week with `on`, or a span of dates. Rules of the policy hold in
    /// it too, unless it has its own.
    Schedule {
        head: Head::Name;
        fields {
            /// Fewest and most machines in that time.
            machines: Count<'static>, required;
            /// First day of a span of dates.
            from: Date, early;
            /// Last day of a span of dates, inclusive.
            until: Date, early;
        }
        children {
            on: one On;
            rules: any When;
        }
    }

    /// Days and hours, in the policy's time zone: `on mon..fri from 08:00 to 19:00`, `on all days from 19:00 to
    /// 08:00`. An end before the start is on the next day.
    On {
        head: Head::Phrase(&[Part::Field("days"), Part::Optional("from", "from"), Part::Optional("to", "to")]);
        fields {
            /// Days of the week on which it starts.
            days: Days, required, early;
            /// Time of day when it starts.
            from: TimeOfDay = "00:00", early;
            /// Time of day when it ends.
            to: TimeOfDay = "24:00", early;
        }
    }

    /// Growth before the load comes, learned from at least seven days of processor use. Needs a rule on average
    /// `cpu` that adds machines.
    Predict {
        head: Head::None;
        fields {
            /// Only show the forecast, or act on it.
            mode: PredictMode = "forecast_only", early;
            /// How long before the forecast load machines are started: 1 to 60 minutes.
            ahead: Seconds = "10 min", early;
        }
    }

    /// Who hears of each change of the number of machines.
    Notify {
        head: Head::None;
        fields {
            /// Mail addresses that are notified.
            emails: List<Text>;
            /// Also the administrators of the subscription.
            subscription_admins: bool = "false", early;
        }
    }
}
