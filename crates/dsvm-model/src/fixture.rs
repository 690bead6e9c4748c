//! Checked programs made by hand, for tests of model, graph and emission without a parser.

#![allow(clippy::unwrap_used, reason = "made by hand for tests; what is written here is valid")]

use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_sema::checked::{Block, Checked, Field, Origin, Param};
use dsvm_sema::table::BlockKind;
use dsvm_sema::table::words::Aggregate;
use dsvm_sema::value::{BlockId, Comparison, Condition, Days, RangeValue, Value};
use std::sync::Arc;

/// A place that stands for any place.
pub fn span() -> Span {
    Span::new(SourceId::file(0), 0, 1)
}

/// A block without fields and nested blocks.
pub fn block(kind: BlockKind, name: &str) -> Block {
    Block {
        kind,
        class: None,
        name: Arc::from(name),
        key: None,
        existing: false,
        doc: None,
        origin: Origin::Project,
        span: span(),
        name_span: span(),
        fields: dsvm_sema::checked::Fields::new(kind),
        children: Vec::new(),
        free: None,
    }
}

/// Builds blocks step by step.
pub trait With: Sized {
    /// The block with this field.
    fn with(self, name: &'static str, value: Value) -> Self;
    /// With this nested block.
    fn inside(self, child: Block) -> Self;
    /// As if the standard library declared it.
    fn library(self) -> Self;
    /// With this word after the colon.
    fn class(self, class: &str) -> Self;
}

impl With for Block {
    fn with(mut self, name: &'static str, value: Value) -> Self {
        let field = Field { value, name_span: span(), value_span: span(), defaulted: false };
        assert!(self.fields.insert(name, field), "no field `{name}`");
        self
    }
    fn inside(mut self, child: Block) -> Self {
        self.children.push(child);
        self
    }
    fn library(mut self) -> Self {
        self.origin = Origin::Library;
        self
    }
    fn class(mut self, class: &str) -> Self {
        self.class = Some(Arc::from(class));
        self
    }
}

/// A known text.
pub fn text(value: &str) -> Value {
    Value::String(Arc::from(value))
}

/// A list of values.
pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(Arc::new(values.into_iter().collect()))
}

/// A range of machines: `min..max`.
pub fn range(min: i64, max: i64) -> Value {
    Value::Range(Arc::new(RangeValue { min: Value::Int(min), max: Value::Int(max), initial: None }))
}

/// A rule on the average of processors.
pub fn cpu(operator: Comparison, percent: i64, metric: BlockId) -> Value {
    Value::Condition(Arc::new(Condition {
        aggregate: Aggregate::Avg,
        metric: Value::Ref(metric),
        window_seconds: 600,
        operator,
        threshold: Value::Percent(percent.into()),
        span: span(),
    }))
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLVd3mFLZcQhJbVnWjTyKhBjQlyHsMHVeFoJQVYSDmQ ops@example.org";

/// The pool of the sample: Ubuntu data science machines behind one address, a share with links, autoscale by day.
pub fn seed(pools: usize) -> Checked {
    let ids = |n: u32| Value::Ref(BlockId(n));
    let mut checked = Checked::default();
    checked.blocks.push(
        block(BlockKind::Project, "research")
            .with("location", text("westus2"))
            .with("tags", Value::Record(Arc::new([(Arc::from("team"), text("research"))].into_iter().collect()))),
    );
    checked.project = Some(BlockId(0));
    checked.blocks.push(
        block(BlockKind::Image, "ubuntu_2204")
            .library()
            .with("publisher", text("microsoft-dsvm"))
            .with("offer", text("ubuntu-2204"))
            .with("sku", text("2204-gen2"))
            .with("version", text("latest"))
            .with("os", text("linux"))
            .with("os_name", text("Ubuntu 22.04"))
            .with("generation", Value::Int(2))
            .with("drivers", list([text("nvidia")]))
            .with("serves", list([text("ssh"), text("jupyterhub")]))
            .with("docker_bridge", Value::Cidr("172.17.0.0/16".parse().unwrap())),
    );
    checked.blocks.push(
        block(BlockKind::Size, "Standard_D8s_v5")
            .library()
            .with("vcpu", Value::Int(8))
            .with("generations", list([Value::Int(1), Value::Int(2)]))
            .with("accelerated_networking", text("required"))
            .with("disk_controllers", list([text("scsi")])),
    );
    checked.blocks.push(
        block(BlockKind::Metric, "cpu")
            .library()
            .with("name", text("Percentage CPU"))
            .with("unit", text("percent"))
            .with("kind", text("ratio"))
            .with("of", text("scale_set")),
    );
    checked.blocks.push(block(BlockKind::Vault, "passwords").with("access", text("private_endpoint")));
    checked.blocks.push(
        block(BlockKind::Share, "notebooks")
            .with("protocol", text("smb"))
            .with("quota", Value::Size(1 << 40))
            .with("mount", text("/datamnt/dsvmshare"))
            .with("access", text("service_endpoint"))
            .inside(
                block(BlockKind::Link, "")
                    .with("path", text("~/notebooks/remote"))
                    .with("target", text("notebooks/{user}")),
            ),
    );
    checked.params.push(Param {
        name: Arc::from("max_machines"),
        arm_type: "int",
        secret: false,
        default: Some(Value::Int(10)),
        min: Some(1),
        max: Some(100),
        min_length: None,
        max_length: None,
        allowed: None,
        nullable: false,
        doc: Some(Arc::from("Most machines.")),
        name_span: span(),
        used: true,
    });
    for index in 0..pools {
        let name = if pools == 1 { "team".to_string() } else { format!("team-{index}") };
        checked.blocks.push(pool(&name, &ids));
    }
    checked
}

fn pool(name: &str, ids: &dyn Fn(u32) -> Value) -> Block {
    let weekdays = Value::Days(Days(0b001_1111));
    let every_day = Value::Days(Days(0b111_1111));
    let when = |op, percent, action| {
        block(BlockKind::When, "")
            .with("condition", cpu(op, percent, BlockId(3)))
            .inside(block(action, "").with("by", Value::Int(1)))
    };
    let schedule = |name, days, from: u16, to: u16, machines| {
        block(BlockKind::Schedule, name).with("machines", machines).inside(
            block(BlockKind::On, "").with("days", days).with("from", Value::Time(from)).with("to", Value::Time(to)),
        )
    };
    block(BlockKind::Pool, name)
        .class("interactive")
        .with("image", ids(1))
        .with("size", ids(2))
        .with("machines", range(0, 10))
        .with("shares", list([ids(5)]))
        .with("vault", ids(4))
        .with("serve", list([text("ssh"), text("jupyterhub")]))
        .inside(
            block(BlockKind::Admin, "")
                .with("name", text("dsvmuser"))
                .with("key", text(KEY))
                .with("password_secret", text("dsvmuser")),
        )
        .inside(
            block(BlockKind::Allow, "")
                .with("service", text("ssh"))
                .with("sources", list([Value::Cidr("203.0.113.0/24".parse().unwrap())])),
        )
        .inside(
            block(BlockKind::Allow, "")
                .with("service", text("jupyterhub"))
                .with("sources", list([Value::Cidr("203.0.113.0/24".parse().unwrap())])),
        )
        .inside(
            block(BlockKind::Autoscale, "")
                .with("timezone", text("Pacific Standard Time"))
                .inside(when(Comparison::Greater, 75, BlockKind::Add))
                .inside(when(Comparison::Less, 25, BlockKind::Remove))
                .inside(schedule("workday", weekdays, 8 * 60, 19 * 60, range(2, 10)))
                .inside(schedule("nights", every_day, 19 * 60, 8 * 60, range(0, 2))),
        )
}
