//! Microsoft.Insights: diagnostic settings, action groups, and the checks of a write of autoscale settings. What those do is in
//! `autoscale`.

use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::Request;
use crate::rule::{Rule, WriteContext};
use crate::value::{set, set_default, whole};

pub struct Autoscale;

/// Where a resource sends its logs and metrics.
pub struct Diagnostics;

/// Whom an alert tells: every kind of receiver has a list, empty or not.
pub struct ActionGroup;

impl Rule for ActionGroup {
    fn needs_location(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        const RECEIVERS: [&str; 10] = [
            "emailReceivers",
            "smsReceivers",
            "webhookReceivers",
            "itsmReceivers",
            "azureAppPushReceivers",
            "automationRunbookReceivers",
            "voiceReceivers",
            "logicAppReceivers",
            "azureFunctionReceivers",
            "armRoleReceivers",
        ];
        put.default("/properties/enabled", json!(true));
        for kind in RECEIVERS {
            let pointer = format!("/properties/{kind}");
            put.default(&pointer, json!([]));
            if !matches!(kind, "emailReceivers" | "smsReceivers") {
                continue;
            }
            for receiver in put.body.pointer_mut(&pointer).and_then(Value::as_array_mut).into_iter().flatten() {
                set_default(receiver, "/status", json!("Enabled"));
            }
        }
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, _: &Request) -> Value {
        let mut body = cx.view(row);
        for empty in ["kind", "tags", "identity"] {
            set_default(&mut body, &format!("/{empty}"), Value::Null);
        }
        body
    }
}

/// Versions before this day left the type out.
const TYPED_SINCE: &str = "2021-05-01";

impl Rule for Diagnostics {
    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        for list in ["metrics", "logs"] {
            put.default(&format!("/properties/{list}"), json!([]));
        }
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        let version = request.api_version();
        if !version.is_empty() && version < TYPED_SINCE {
            for empty in ["type", "location", "kind", "tags", "identity"] {
                set(&mut body, &format!("/{empty}"), Value::Null);
            }
            for empty in [
                "storageAccountId",
                "serviceBusRuleId",
                "workspaceId",
                "eventHubAuthorizationRuleId",
                "eventHubName",
                "logAnalyticsDestinationType",
            ] {
                set_default(&mut body, &format!("/properties/{empty}"), Value::Null);
            }
        }
        body
    }
}

fn bad(message: impl Into<String>) -> ArmError {
    ArmError::bad("BadRequest", message)
}

impl Rule for Autoscale {
    fn needs_location(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        put.set("/properties/name", json!(name));
        put.default("/properties/enabled", json!(true));
        put.default("/properties/notifications", json!([]));
        put.default("/tags", json!({}));
        let Some(target) = put.text("/properties/targetResourceUri").map(str::to_owned) else {
            return Err(bad("The autoscale setting needs a targetResourceUri."));
        };
        if put.cx.store.row(&target).is_none() {
            return Err(ArmError::missing(
                "ResourceNotFound",
                format!("The target resource '{target}' of the autoscale setting was not found."),
            ));
        }
        let own = put.path.id();
        let twin = put.cx.store.of_kind("Microsoft.Insights/autoscaleSettings").into_iter().find(|row| {
            !row.id.eq_ignore_ascii_case(&own)
                && row.text("/properties/targetResourceUri").is_some_and(|have| have.eq_ignore_ascii_case(&target))
        });
        if let Some(twin) = twin {
            return Err(ArmError::conflict(
                "Conflict",
                format!("The resource '{target}' already has the autoscale setting '{}'.", twin.name),
            ));
        }
        let profiles = put.at("/properties/profiles").and_then(Value::as_array).cloned().unwrap_or_default();
        if profiles.is_empty() || profiles.len() > 20 {
            return Err(bad("An autoscale setting has 1 to 20 profiles."));
        }
        let mut names = std::collections::BTreeSet::new();
        for profile in &profiles {
            let name = profile.get("name").and_then(Value::as_str).unwrap_or_default();
            if !names.insert(name.to_lowercase()) {
                return Err(bad(format!("The profile name '{name}' is used twice.")));
            }
            check_profile(name, profile)?;
        }
        Ok(())
    }

    fn written(&self, cx: &mut Cx<'_>, row: &Row, _: Option<&Row>) -> Result<(), ArmError> {
        // the setting is looked at from now on, not for the time before it was written
        let mut row = row.clone();
        let now = cx.now_ms();
        if !row.hidden.is_object() {
            row.hidden = json!({});
        }
        crate::value::set(&mut row.hidden, "/seen", json!(now));
        cx.store.put_row(row);
        Ok(())
    }
}

fn check_profile(name: &str, profile: &Value) -> Result<(), ArmError> {
    let capacity = |key: &str| whole(profile.pointer(&format!("/capacity/{key}")));
    let (Some(least), Some(most), Some(default)) = (capacity("minimum"), capacity("maximum"), capacity("default"))
    else {
        return Err(bad(format!("The capacity of profile '{name}' needs whole numbers minimum, maximum and default.")));
    };
    if !(0 <= least && least <= default && default <= most) {
        return Err(bad(format!(
            "The capacity of profile '{name}' is not valid: minimum {least} <= default {default} <= maximum {most} must hold."
        )));
    }
    let rules = profile.get("rules").and_then(Value::as_array).cloned().unwrap_or_default();
    if rules.len() > 10 {
        return Err(bad(format!("Profile '{name}' has {} rules; 10 are allowed.", rules.len())));
    }
    if profile.get("fixedDate").is_some_and(|v| !v.is_null()) && profile.get("recurrence").is_some_and(|v| !v.is_null())
    {
        return Err(bad(format!("Profile '{name}' has both fixedDate and recurrence.")));
    }
    if let Some(recurrence) = profile.get("recurrence").filter(|v| !v.is_null()) {
        if !recurrence.get("frequency").and_then(Value::as_str).is_some_and(|f| f.eq_ignore_ascii_case("Week")) {
            return Err(bad(format!("The recurrence of profile '{name}' must have the frequency Week.")));
        }
        let zone = recurrence.pointer("/schedule/timeZone").and_then(Value::as_str).unwrap_or_default();
        if arm_autoscale::time_zone(zone).is_none() {
            return Err(bad(format!("The time zone '{zone}' of profile '{name}' is not a Windows time zone name.")));
        }
    }
    for rule in &rules {
        let text = |pointer: &str| rule.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let span = |pointer: &str, least: i64, most: i64| match duration(text(pointer)) {
            Some(span) if (least..=most).contains(&span.as_secs()) => Ok(()),
            _ => Err(bad(format!(
                "{} of a rule of profile '{name}' is not valid: '{}'.",
                pointer.rsplit('/').next().unwrap_or_default(),
                text(pointer)
            ))),
        };
        span("/metricTrigger/timeGrain", 60, 43_200)?;
        span("/metricTrigger/timeWindow", 300, 43_200)?;
        span("/scaleAction/cooldown", 60, 604_800)?;
        if rule.pointer("/metricTrigger/threshold").and_then(Value::as_f64).is_none() {
            return Err(bad(format!("A rule of profile '{name}' has no threshold.")));
        }
        for (pointer, allowed) in [
            ("/scaleAction/direction", &["None", "Increase", "Decrease"][..]),
            ("/scaleAction/type", &["ChangeCount", "PercentChangeCount", "ExactCount", "ServiceAllowedNextValue"][..]),
            (
                "/metricTrigger/operator",
                &["Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"][..],
            ),
            ("/metricTrigger/statistic", &["Average", "Min", "Max", "Sum", "Count"][..]),
            ("/metricTrigger/timeAggregation", &["Average", "Minimum", "Maximum", "Total", "Count", "Last"][..]),
        ] {
            if !allowed.iter().any(|word| word.eq_ignore_ascii_case(text(pointer))) {
                return Err(bad(format!(
                    "'{}' is not allowed for {}.",
                    text(pointer),
                    pointer.trim_start_matches('/').replace('/', ".")
                )));
            }
        }
    }
    Ok(())
}
