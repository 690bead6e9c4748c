//! What the rules of a resource type are: the trait that every type implements, and what it works with.

use std::sync::Arc;

use serde_json::Value;

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::Path;
use crate::lro::Style;
use crate::value::{dotted, set, set_default};

/// A write as a client or a deployment asks for it.
#[derive(Clone, Debug, Default)]
pub struct Write {
    pub path: Path,
    /// The body as sent.
    pub body: Value,
    /// The api-version that was asked for; empty when the endpoint writes by itself.
    pub api_version: String,
    /// The body was checked already, as that of a child.
    pub checked: bool,
    /// PATCH instead of PUT.
    pub patch: bool,
    /// Value of the header `If-Match`.
    pub if_match: Option<String>,
    /// Value of the header `If-None-Match`.
    pub if_none_match: Option<String>,
}

/// What came of a write.
#[derive(Clone, Debug)]
pub struct Written {
    /// The resource as stored.
    pub row: Arc<Row>,
    /// Whether it is new.
    pub created: bool,
    /// Whether it takes time: the operation's id and how it is to be answered.
    pub operation: Option<(String, Style)>,
    /// Machine milliseconds that the operation takes; `i64::MAX` never ends.
    pub duration_ms: i64,
    /// The failure that the operation ends in.
    pub failure: Option<ArmError>,
}

/// What a type's rule sees and changes while a write is prepared.
pub struct WriteContext<'a, 'b> {
    /// All resources and documents, and the time.
    pub cx: &'a mut Cx<'b>,
    pub path: &'a Path,
    /// What was there before.
    pub old: Option<Arc<Row>>,
    /// The body as the client sent it.
    pub sent: &'a Value,
    /// The api-version that was asked for; empty when the endpoint writes by itself.
    pub api_version: &'a str,
    /// The body that will be stored.
    pub body: Value,
    /// What a client never sees.
    pub hidden: Value,
}

impl WriteContext<'_, '_> {
    /// A value in the body.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.body.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A string in the body.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }

    /// Sets a property when the client gave none.
    pub fn default(&mut self, pointer: &str, value: Value) {
        set_default(&mut self.body, pointer, value);
    }

    /// Sets a property whatever the client gave.
    pub fn set(&mut self, pointer: &str, value: Value) {
        set(&mut self.body, pointer, value);
    }

    /// Refuses a changed property.
    ///
    /// # Errors
    /// `PropertyChangeNotAllowed` (or the given code) when `pointer` had another value before.
    pub fn immutable(&self, pointer: &str, code: &str) -> Result<(), ArmError> {
        let Some(old) = &self.old else { return Ok(()) };
        let (before, after) = (old.at(pointer), self.at(pointer));
        let same = match (before, after) {
            (Some(Value::String(a)), Some(Value::String(b))) => a.eq_ignore_ascii_case(b),
            (Some(a), Some(b)) => a == b,
            // what the client leaves out stays
            _ => true,
        };
        if same {
            return Ok(());
        }
        let dotted = dotted(pointer);
        Err(ArmError::conflict(code, format!("Changing property '{dotted}' is not allowed.")).at(dotted))
    }
}

/// The rules of one type. Every method has the answer of a type that is stored as sent.
pub trait Rule: Sync {
    /// Whether a PUT leaves alone what it does not mention.
    fn merges(&self) -> bool {
        false
    }

    /// Whether a new resource needs a `location`.
    fn needs_location(&self) -> bool {
        false
    }

    /// Whether the body carries `etag`.
    fn shows_etag(&self) -> bool {
        false
    }

    /// The status of the answer to a PUT where it does not tell creation (201) from update (200).
    fn write_status(&self) -> Option<u16> {
        None
    }

    /// The spelling of `type` in bodies, where it differs from the id's.
    fn shown_type(&self) -> Option<&'static str> {
        None
    }

    /// How a write is answered.
    fn style(&self, _created: bool) -> Style {
        Style::Sync
    }

    /// How a PATCH is answered.
    fn patch_style(&self) -> Style {
        self.style(false)
    }

    /// How a deletion is answered.
    fn delete_style(&self) -> Style {
        Style::Sync
    }

    /// The provisioning state while a write is under way.
    fn settling(&self, created: bool) -> &'static str {
        if created { "Creating" } else { "Updating" }
    }

    /// Checks a write and fills in what the service fills in.
    ///
    /// # Errors
    /// What the service says.
    fn prepare(&self, _put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        Ok(())
    }

    /// Follows a write (instances of a scale set, for example).
    ///
    /// # Errors
    /// What the service says; the write is undone then.
    fn written(&self, _cx: &mut Cx<'_>, _row: &Row, _old: Option<&Row>) -> Result<(), ArmError> {
        Ok(())
    }

    /// The failure that the operation of the last write ends in, after [`Rule::written`].
    fn failure(&self, _row: &Row) -> Option<ArmError> {
        None
    }

    /// Refuses a DELETE that lacks what the type asks of one.
    ///
    /// # Errors
    /// What the service says.
    fn check_delete_request(&self, _request: &Request) -> Result<(), ArmError> {
        Ok(())
    }

    /// Refuses a deletion while others use the resource.
    ///
    /// # Errors
    /// What the service says.
    fn check_delete(&self, _cx: &mut Cx<'_>, _row: &Row) -> Result<(), ArmError> {
        Ok(())
    }

    /// Changes other resources after a deletion.
    ///
    /// # Errors
    /// What the service says; the deletion is undone then.
    fn deleted(&self, _cx: &mut Cx<'_>, _row: &Row) -> Result<(), ArmError> {
        Ok(())
    }

    /// An action (POST) or view (GET) named `word` on a resource; `None` when there is none of that name.
    ///
    /// # Errors
    /// What the service says.
    fn action(&self, _cx: &mut Cx<'_>, _row: &Row, _word: &str, _request: &Request) -> Result<Option<Reply>, ArmError> {
        Ok(None)
    }

    /// Changes the first answer to a write.
    fn first_answer(&self, _body: &mut Value) {}

    /// Changes the first answer to a write whose operation has not ended; its provisioning state says so already.
    fn under_way(&self, _body: &mut Value, _created: bool) {}

    /// What a deletion answers, for types that show what was deleted.
    fn deletion_answer(&self, _row: &Row) -> Option<Value> {
        None
    }

    /// What a GET shows.
    fn shown(&self, cx: &Cx<'_>, row: &Row, _request: &Request) -> Value {
        cx.view(row)
    }
}
