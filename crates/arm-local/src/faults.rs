//! Faults on demand: what goes wrong, for which requests or resources, how often.
//!
//! A fault is written `KIND[,key=value]…`: `throttle,method=PUT,times=2,retry-after=1`,
//! `AllocationFailed,type=Microsoft.Compute/virtualMachineScaleSets,name=pool`. The same keys work as a JSON object.

use serde_json::{Value, json};

use crate::error::ArmError;
use crate::http::{Reply, Request};

/// What goes wrong with a request or with the write of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The request is answered 429 with `Retry-After`.
    Throttle,
    /// The request is answered 500.
    Error,
    /// The request is answered 503 with `Retry-After`.
    Unavailable,
    /// The connection is closed without an answer; nothing was done.
    Reset,
    /// The write is done, the connection is closed without an answer.
    Lost,
    /// The operation takes `seconds`.
    Slow,
    /// The operation never ends by itself.
    Stuck,
    /// The resource fails with `code` and `message`.
    Fail,
    /// The write is refused: 409 `SkuNotAvailable`.
    SkuNotAvailable,
    /// The operation ends in `AllocationFailed`.
    AllocationFailed,
    /// The write is refused for lack of quota: 409 `OperationNotAllowed`.
    QuotaExceeded,
    /// The write is refused: 409 `Conflict`.
    Conflict,
    /// A stack does not trust its list of managed resources: 409 `DeploymentStackOutOfSync`.
    OutOfSync,
}

const KINDS: &[(&str, FaultKind)] = &[
    ("throttle", FaultKind::Throttle),
    ("error", FaultKind::Error),
    ("unavailable", FaultKind::Unavailable),
    ("reset", FaultKind::Reset),
    ("lost", FaultKind::Lost),
    ("slow", FaultKind::Slow),
    ("stuck", FaultKind::Stuck),
    ("fail", FaultKind::Fail),
    ("SkuNotAvailable", FaultKind::SkuNotAvailable),
    ("AllocationFailed", FaultKind::AllocationFailed),
    ("QuotaExceeded", FaultKind::QuotaExceeded),
    ("conflict", FaultKind::Conflict),
    ("DeploymentStackOutOfSync", FaultKind::OutOfSync),
];

/// One fault with its selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    kind: FaultKind,
    method: Option<String>,
    path: Option<String>,
    resource_type: Option<String>,
    name: Option<String>,
    /// How often it still strikes; `None` always.
    left: Option<u32>,
    /// How many matches pass before it strikes.
    after: u32,
    retry_after: u32,
    seconds: f64,
    code: Option<String>,
    message: Option<String>,
}

impl Fault {
    /// Reads the text form, `KIND,key=value,…`.
    ///
    /// # Errors
    /// A sentence naming the word that is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::trim);
        let mut object = serde_json::Map::new();
        object.insert("kind".into(), json!(parts.next().unwrap_or_default()));
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not of the form key=value"))?;
            object.insert(key.trim().to_owned(), json!(value.trim()));
        }
        Self::from_value(&Value::Object(object))
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// A sentence naming the key or word that is not understood.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        let object = value.as_object().ok_or("a fault is an object or a text")?;
        let mut fault = Self {
            kind: FaultKind::Fail,
            method: None,
            path: None,
            resource_type: None,
            name: None,
            left: Some(1),
            after: 0,
            retry_after: 1,
            seconds: 5.0,
            code: None,
            message: None,
        };
        let mut kind = None;
        for (key, value) in object {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let number = || text.parse::<u32>().map_err(|_| format!("`{key}` is a whole number, not `{text}`"));
            match key.to_lowercase().replace('_', "-").as_str() {
                "kind" => kind = Some(text.clone()),
                "method" => fault.method = Some(text.to_uppercase()),
                "path" => fault.path = Some(text.to_lowercase()),
                "type" => fault.resource_type = Some(text.clone()),
                "name" => fault.name = Some(text.clone()),
                "times" => fault.left = if text == "always" { None } else { Some(number()?) },
                "after" => fault.after = number()?,
                "retry-after" => fault.retry_after = number()?,
                "seconds" => {
                    fault.seconds = text
                        .parse::<f64>()
                        .ok()
                        .filter(|seconds| (0.0..=86_400.0).contains(seconds))
                        .ok_or_else(|| format!("`seconds` is a number from 0 to 86400, not `{text}`"))?;
                }
                "code" => fault.code = Some(text.clone()),
                "message" => fault.message = Some(text.clone()),
                other => {
                    return Err(format!(
                        "a fault has no `{other}`; it has kind, method, path, type, name, times, after, retry-after, seconds, code, message"
                    ));
                }
            }
        }
        let wanted = kind.unwrap_or_default();
        let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
        fault.kind =
            KINDS.iter().find(|(name, _)| plain(name) == plain(&wanted)).map(|(_, kind)| *kind).ok_or_else(|| {
                let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
                format!("there is no fault `{wanted}`; there are {}", names.join(", "))
            })?;
        Ok(fault)
    }

    /// The JSON form, for `GET /_local/faults`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| *name);
        json!({
            "kind": name, "method": self.method, "path": self.path, "type": self.resource_type, "name": self.name,
            "times": self.left.map_or_else(|| json!("always"), |left| json!(left)), "after": self.after,
            "retry-after": self.retry_after, "seconds": self.seconds, "code": self.code, "message": self.message,
        })
    }

    fn strikes(&mut self) -> bool {
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn selects(&self, method: &str, path: &str, kind: Option<&str>) -> bool {
        let path = path.to_lowercase();
        let name = path.rsplit('/').next().unwrap_or_default();
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.path.as_deref().is_none_or(|wanted| glob(wanted, &path))
            && self.name.as_deref().is_none_or(|wanted| glob(&wanted.to_lowercase(), name))
            && self.resource_type.as_deref().is_none_or(|wanted| match kind {
                Some(kind) => kind.eq_ignore_ascii_case(wanted),
                None => crate::id::Path::of(&path).resource_type().eq_ignore_ascii_case(wanted),
            })
    }

    fn strikes_at(&self) -> FaultStage {
        match self.kind {
            FaultKind::Throttle | FaultKind::Error | FaultKind::Unavailable | FaultKind::Reset | FaultKind::Lost => {
                FaultStage::Request
            }
            FaultKind::OutOfSync => FaultStage::Stack,
            _ => FaultStage::Write,
        }
    }
}

/// Faults from a JSON body or file: one fault, a list, or `{"faults": [...]}`; each an object or a text.
///
/// # Errors
/// A sentence naming what is not understood.
pub fn read_faults(body: &Value) -> Result<Vec<Fault>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => Fault::parse(text),
        other => Fault::from_value(other),
    };
    match body.get("faults").unwrap_or(body) {
        Value::Array(list) => list.iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

/// Where a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FaultStage {
    Request,
    Write,
    Stack,
}

/// `*` matches anything; without one the text must occur somewhere.
fn glob(pattern: &str, text: &str) -> bool {
    if !pattern.contains('*') {
        return text.contains(pattern);
    }
    let mut rest = text;
    let mut parts = pattern.split('*').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        if first {
            first = false;
            match rest.strip_prefix(part) {
                Some(after) => rest = after,
                None => return false,
            }
        } else if parts.peek().is_none() {
            return rest.ends_with(part);
        } else {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    true
}

/// The faults in force.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
}

/// What happens to a request before or after the core sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// No fault is due: the core answers.
    Pass,
    /// This answer instead of the core's.
    Answer(Reply),
    /// The connection is closed; nothing is done.
    Reset,
    /// The core answers, the client never hears it.
    Lost,
}

impl Faults {
    /// Adds faults behind those in force.
    pub fn add(&mut self, faults: Vec<Fault>) {
        self.list.extend(faults);
    }

    /// Ends every fault that is in force.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// The faults in force.
    #[must_use]
    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    fn take(&mut self, at: FaultStage, method: &str, path: &str, kind: Option<&str>) -> Vec<Fault> {
        let mut struck = Vec::new();
        for fault in &mut self.list {
            if fault.strikes_at() == at && fault.selects(method, path, kind) && fault.strikes() {
                struck.push(fault.clone());
            }
        }
        self.list.retain(|fault| fault.left != Some(0));
        struck
    }

    /// What happens to this request.
    pub fn judge(&mut self, request: &Request) -> Verdict {
        let arm = request.segments.first().is_some_and(|first| {
            first.eq_ignore_ascii_case("subscriptions") || first.eq_ignore_ascii_case("providers")
        });
        if !arm || self.list.is_empty() {
            return Verdict::Pass;
        }
        match self.take(FaultStage::Request, &request.method, &request.path(), None).first() {
            None => Verdict::Pass,
            Some(fault) => {
                let message = |default: &str| fault.message.clone().unwrap_or_else(|| default.to_owned());
                let code = |default: &str| fault.code.clone().unwrap_or_else(|| default.to_owned());
                let error = match fault.kind {
                    FaultKind::Reset => return Verdict::Reset,
                    FaultKind::Lost => return Verdict::Lost,
                    FaultKind::Throttle => ArmError {
                        retry_after: Some(fault.retry_after),
                        ..ArmError::new(
                            429,
                            code("TooManyRequests"),
                            message(&format!(
                                "Number of requests exceeded the limit. Please try again after '{}' seconds.",
                                fault.retry_after
                            )),
                        )
                    },
                    FaultKind::Unavailable => ArmError {
                        retry_after: Some(fault.retry_after),
                        ..ArmError::new(
                            503,
                            code("ServiceUnavailable"),
                            message("The service is unavailable now, please retry your request."),
                        )
                    },
                    _ => ArmError::new(
                        500,
                        code("InternalServerError"),
                        message("Encountered internal server error. Diagnostic information: asked for by a fault."),
                    ),
                };
                Verdict::Answer(error.into())
            }
        }
    }

    /// Whether a stack is to say that it does not trust its own list of resources.
    pub fn of_stack(&mut self, id: &str, method: &str) -> bool {
        !self.take(FaultStage::Stack, method, id, Some("Microsoft.Resources/deploymentStacks")).is_empty()
    }

    /// The fault that is due for a write, if any.
    pub fn of_write(&mut self, id: &str, kind: &str, method: &str) -> Option<InjectedFault> {
        let struck = self.take(FaultStage::Write, method, id, Some(kind));
        if struck.is_empty() {
            return None;
        }
        let mut out = InjectedFault::default();
        for fault in struck {
            let error = |status: u16, code: &str, text: &str| {
                ArmError::new(
                    status,
                    fault.code.clone().unwrap_or_else(|| code.to_owned()),
                    fault.message.clone().unwrap_or_else(|| text.to_owned()),
                )
            };
            match fault.kind {
                #[expect(clippy::cast_possible_truncation, reason = "at most a day of milliseconds")]
                FaultKind::Slow => out.duration_ms = Some((fault.seconds * 1000.0) as i64),
                FaultKind::Stuck => out.duration_ms = Some(i64::MAX),
                FaultKind::SkuNotAvailable => {
                    out.refuse = Some(error(
                        409,
                        "SkuNotAvailable",
                        "The requested VM size is currently not available in this location. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.",
                    ));
                }
                FaultKind::QuotaExceeded => {
                    out.refuse = Some(error(
                        409,
                        "OperationNotAllowed",
                        "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Submit a request for Quota increase.",
                    ));
                }
                FaultKind::Conflict => {
                    out.refuse = Some(error(
                        409,
                        "Conflict",
                        "Another operation on this resource is in progress. Please retry later.",
                    ));
                }
                FaultKind::AllocationFailed => {
                    out.fail = Some(error(
                        409,
                        "AllocationFailed",
                        "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at https://aka.ms/allocation-guidance",
                    ));
                }
                _ => {
                    out.fail = Some(error(
                        409,
                        "ProvisioningFailed",
                        "The resource operation completed with terminal provisioning state 'Failed'.",
                    ))
                }
            }
        }
        Some(out)
    }
}

/// What happens to the write of one resource.
#[derive(Clone, Debug, Default)]
pub struct InjectedFault {
    /// The write is refused at once.
    pub refuse: Option<ArmError>,
    /// The write is accepted, its operation fails.
    pub fail: Option<ArmError>,
    /// How long the operation takes.
    pub duration_ms: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_told_and_only_where_told() {
        let mut faults = Faults::default();
        faults.add(vec![
            Fault::parse("throttle,method=PUT,path=*/virtualMachineScaleSets/*,times=2,after=1,retry-after=7")
                .expect("fault"),
        ]);
        let mut request = Request { method: "PUT".into(), ..Request::default() };
        request.target("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/p", "");
        assert_eq!(faults.judge(&request), Verdict::Pass);
        for _ in 0..2 {
            let Verdict::Answer(reply) = faults.judge(&request) else { panic!("no answer") };
            assert_eq!(reply.status, 429);
            assert!(reply.headers.contains(&("Retry-After".into(), "7".into())));
        }
        assert_eq!(faults.judge(&request), Verdict::Pass);
        request.method = "GET".into();
        faults.add(vec![Fault::parse("reset,method=PUT").expect("fault")]);
        assert_eq!(faults.judge(&request), Verdict::Pass);
    }

    #[test]
    fn unknown_words_are_named() {
        assert!(Fault::parse("explode").expect_err("kind").contains("`explode`"));
        assert!(Fault::parse("reset,when=now").expect_err("key").contains("`when`"));
        assert!(Fault::parse("slow,seconds=soon").expect_err("number").contains("`soon`"));
        assert_eq!(Fault::parse("sku-not-available").expect("kind").kind, FaultKind::SkuNotAvailable);
    }

    #[test]
    fn stars_match_anything() {
        assert!(glob("*/a/*", "/x/a/b"));
        assert!(glob("a*c", "abc"));
        assert!(!glob("a*c", "abd"));
        assert!(glob("b", "abc"));
        assert!(!glob("*x*", "abc"));
    }
}
