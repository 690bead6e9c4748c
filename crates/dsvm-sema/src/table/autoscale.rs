//! Rows of autoscale policies.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, Part};

/// `autoscale` and everything that stands inside.
pub const ROWS: &[BlockSpec] = &[AUTOSCALE, WHEN, ADD, REMOVE, SET, COOLDOWN, SCHEDULE, ON, PREDICT, NOTIFY];

const AUTOSCALE: BlockSpec = BlockSpec {
    head: Head::OptionalName,
    ..BlockSpec::top(
        BlockKind::Autoscale,
        "When a pool grows and shrinks. Inside a pool it has no name; with a name at top level it is a policy that pools share (`autoscale = office_hours`).",
    )
}
.fields(&[
    FieldSpec::new(
        "timezone",
        FieldType::Either(&[FieldType::Ref(BlockKind::Timezone), FieldType::String]),
        "Time zone of the schedules, by its Windows name.",
    )
    .default("\"UTC\"")
    .early(),
    FieldSpec::new(
        "without_metrics",
        FieldType::Int,
        "Machines to have when the metrics cannot be read and there are fewer; the smallest number of the pool when left out.",
    ),
    FieldSpec::new(
        "of",
        FieldType::Either(&[FieldType::Ref(BlockKind::Share), FieldType::Ref(BlockKind::Resource), FieldType::String]),
        "Whose metrics rules mean that measure something else than the pool, such as the length of a queue: a declared block or a resource id. A rule can name its own.",
    ),
    FieldSpec::new(
        "wake",
        FieldType::OneOf(&["schedule", "metric", "manual"]),
        "What brings a pool back from zero machines. Found by itself for schedules and for metrics of other resources; `manual` says that a person does it.",
    )
    .early(),
    FieldSpec::new("enabled", FieldType::Bool, "Whether the policy is at work.").default("true").early(),
])
.children(&[(BlockKind::When, 0), (BlockKind::Schedule, 0), (BlockKind::Predict, 1), (BlockKind::Notify, 1)]);

const WHEN: BlockSpec = BlockSpec::nested(
    BlockKind::When,
    Head::Phrase(&[Part::Field("condition")]),
    "A rule: what must be seen, and what then happens. The pool grows when any growing rule holds and shrinks when all shrinking rules do.",
)
.fields(&[
    FieldSpec::new("condition", FieldType::Condition, "An aggregate over time of a metric, compared: `avg(cpu, 10 min) > 75%`. Windows last 5 minutes to 12 hours.").required().early(),
    FieldSpec::new("across", FieldType::OneOf(&["average", "min", "max", "sum", "count"]), "How the values of the machines become one.").default("average").early(),
    FieldSpec::new("grain", FieldType::Duration, "Step between two readings of the metric.").default("1 min").early(),
    FieldSpec::new("per_machine", FieldType::Bool, "Divide a sum or count by the number of machines.").default("false").early(),
    FieldSpec::new(
        "of",
        FieldType::Either(&[FieldType::Ref(BlockKind::Share), FieldType::Ref(BlockKind::Resource), FieldType::String]),
        "Whose metric it is when not the pool's own: a declared block or a resource id, for instance of a queue.",
    ),
    FieldSpec::new("namespace", FieldType::String, "Namespace of a metric given by its Azure name, for instance `Microsoft.ServiceBus/namespaces`.").early(),
])
.children(&[(BlockKind::Add, 1), (BlockKind::Remove, 1), (BlockKind::Set, 1), (BlockKind::Cooldown, 1)]);

const ADD: BlockSpec =
    BlockSpec::nested(BlockKind::Add, Head::Phrase(&[Part::Field("by")]), "Machines to add: `add 1`, `add 20%`.")
        .fields(&[BY]);
const REMOVE: BlockSpec = BlockSpec::nested(
    BlockKind::Remove,
    Head::Phrase(&[Part::Field("by")]),
    "Machines to remove: `remove 1`, `remove 10%`.",
)
.fields(&[BY]);
const BY: FieldSpec = FieldSpec::new(
    "by",
    FieldType::Either(&[FieldType::IntIn(1, 1000), FieldType::Percent]),
    "How many, or which part of the present number.",
)
.required()
.early();
const SET: BlockSpec =
    BlockSpec::nested(BlockKind::Set, Head::Phrase(&[Part::Field("to")]), "An exact number of machines: `set 3`.")
        .fields(&[FieldSpec::new("to", FieldType::IntIn(1, 1000), "How many; autoscale sets no exact zero.")
            .required()
            .early()]);
const COOLDOWN: BlockSpec = BlockSpec::nested(
    BlockKind::Cooldown,
    Head::Phrase(&[Part::Field("time")]),
    "Rest after the rule has acted: `cooldown 5 min`; 1 minute to 1 week, 5 minutes when left out.",
)
.fields(&[FieldSpec::new("time", FieldType::Duration, "How long.").required().early()]);

const SCHEDULE: BlockSpec = BlockSpec::nested(
    BlockKind::Schedule,
    Head::Name,
    "Other limits at certain times: days of the week with `on`, or a span of dates. Rules of the policy hold in it too, unless it has its own.",
)
.fields(&[
    FieldSpec::new("machines", FieldType::Either(&[FieldType::IntRange, FieldType::Int]), "Fewest and most machines in that time.").required(),
    FieldSpec::new("from", FieldType::Date, "First day of a span of dates.").early(),
    FieldSpec::new("until", FieldType::Date, "Last day of a span of dates, inclusive.").early(),
])
.children(&[(BlockKind::On, 1), (BlockKind::When, 0)]);

const ON: BlockSpec = BlockSpec::nested(
    BlockKind::On,
    Head::Phrase(&[Part::Field("days"), Part::Optional("from", "from"), Part::Optional("to", "to")]),
    "Days and hours, in the policy's time zone: `on mon..fri from 08:00 to 19:00`, `on all days from 19:00 to 08:00`. An end before the start is on the next day.",
)
.fields(&[
    FieldSpec::new("days", FieldType::Days, "Days of the week on which it starts.").required().early(),
    FieldSpec::new("from", FieldType::Time, "When it starts.").default("00:00").early(),
    FieldSpec::new("to", FieldType::Time, "When it ends.").default("24:00").early(),
]);

const PREDICT: BlockSpec = BlockSpec::nested(
    BlockKind::Predict,
    Head::None,
    "Growth before the load comes, learned from at least seven days of processor use. Needs a rule on average `cpu` that adds machines.",
)
.fields(&[
    FieldSpec::new("mode", FieldType::OneOf(&["forecast_only", "on"]), "Only show the forecast, or act on it.").default("forecast_only").early(),
    FieldSpec::new("ahead", FieldType::Duration, "How long before the forecast load machines are started: 1 to 60 minutes.").default("10 min").early(),
]);

const NOTIFY: BlockSpec =
    BlockSpec::nested(BlockKind::Notify, Head::None, "Who hears of each change of the number of machines.").fields(&[
        FieldSpec::new("emails", FieldType::List(&FieldType::String), "Mail addresses."),
        FieldSpec::new("subscription_admins", FieldType::Bool, "Also the administrators of the subscription.")
            .default("false")
            .early(),
    ]);
