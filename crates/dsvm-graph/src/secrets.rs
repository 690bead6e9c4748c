//! Secrets in a body of ARM's own words: only where Azure never shows them again.

use super::diags;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Free;
use dsvm_sema::value::{Deploy, SecretStep, Value};

/// Properties that keep secrets wherever they are, for types that the catalog does not know. A name is here only when
/// no service gives the property back.
const ALWAYS: &[&str] =
    &["protectedSettings", "adminPassword", "administratorLoginPassword", "clientSecret", "secureValue"];

/// Reports each secret of a body in a place where Azure shows it to everybody who can read the resource.
pub(crate) fn check(kind: &str, free: &Free, block: Span, sink: &mut Sink) {
    walk(kind, free, &free.value, "", block, sink);
}

fn walk(kind: &str, free: &Free, value: &Value, pointer: &str, block: Span, sink: &mut Sink) {
    match value {
        Value::Record(fields) => {
            for (name, field) in fields.iter() {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                walk(kind, free, field, &pointer, block, sink);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(kind, free, item, &format!("{pointer}/{index}"), block, sink);
            }
        }
        Value::Deferred(deferred) if !deferred.secret.is_empty() && !keeps(kind, pointer) => {
            let span = free.place(pointer).map_or(block, |place| place.value);
            sink.push(exposed(kind, pointer, &deferred.secret, span));
        }
        Value::String(text) if !text.is_empty() && is_password(kind, pointer) => {
            let span = free.place(pointer).map_or(block, |place| place.value);
            sink.push(diags::secret_as_text(&property(pointer), span));
        }
        Value::Deferred(deferred)
            if deferred.secret.is_empty()
                && matches!(deferred.expr, Deploy::Parameter(_))
                && is_password(kind, pointer) =>
        {
            let span = free.place(pointer).map_or(block, |place| place.value);
            sink.push(diags::secret_as_parameter(&property(pointer), span));
        }
        _ => {}
    }
}

/// Whether a property is a password or the value of a secret, and nothing else: scripts and settings that Azure keeps too
/// may be written in plain text.
fn is_password(kind: &str, pointer: &str) -> bool {
    const NAMES: &[&str] = &["adminPassword", "administratorLoginPassword", "clientSecret", "secureValue"];
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let tags = pointer.starts_with("/tags/");
    let vault = kind.eq_ignore_ascii_case("Microsoft.KeyVault/vaults/secrets") && pointer == "/properties/value";
    !tags && (vault || NAMES.iter().any(|name| name.eq_ignore_ascii_case(last)))
}

fn property(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

/// Whether Azure never shows what is there.
fn keeps(kind: &str, pointer: &str) -> bool {
    match arm_catalog::lookup(kind, None) {
        Some(_) => arm_catalog::is_sensitive(kind, pointer),
        None => pointer.split('/').any(|step| ALWAYS.iter().any(|name| name.eq_ignore_ascii_case(step))),
    }
}

fn exposed(kind: &str, pointer: &str, path: &[SecretStep], span: Span) -> dsvm_diagnostics::Diagnostic {
    let property = property(pointer);
    let kept: Vec<&str> = arm_catalog::secret_pointers(kind).collect();
    diags::secret_in_property(&property, (kind, arm_catalog::lookup(kind, None).is_some()), &kept, path, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";

    #[test]
    fn known_types_keep_what_their_description_says() {
        let profile = "/properties/virtualMachineProfile";
        assert!(keeps(SCALE_SET, &format!("{profile}/osProfile/adminPassword")));
        assert!(keeps(SCALE_SET, &format!("{profile}/extensionProfile/extensions/0/properties/protectedSettings/a/b")));
        assert!(!keeps(SCALE_SET, &format!("{profile}/extensionProfile/extensions/0/properties/settings/secureValue")));
        assert!(!keeps(SCALE_SET, &format!("{profile}/osProfile/customData")));
        assert!(!keeps(SCALE_SET, "/tags/adminPassword"));
        assert!(keeps("Microsoft.KeyVault/vaults/secrets", "/properties/value"));
    }

    #[test]
    fn unknown_types_keep_only_what_all_services_keep() {
        assert!(keeps("Microsoft.Sql/servers", "/properties/administratorLoginPassword"));
        assert!(!keeps("Microsoft.Network/connections", "/properties/sharedKey"));
    }

    #[test]
    fn nothing_that_is_given_back_counts_as_kept() {
        for kind in arm_catalog::known_types() {
            for pointer in arm_catalog::secret_pointers(kind) {
                assert!(arm_catalog::is_write_only(kind, pointer), "{kind} shows {pointer}");
            }
        }
    }
}
