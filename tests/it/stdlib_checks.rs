//! The library through the whole compiler: each fact is evaluated, each policy works in a pool.

use crate::pool::compile;
use crate::stdlib::facts;
use dsvm_diagnostics::Code;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc someone@example.org";

fn program(pool: &str, rest: &str) -> String {
    format!(
        "project p {{ location = westeurope }}\nimport std.images\nimport std.sizes\nimport std.schedules\n{rest}\n\
         pool team: interactive {{\n  image = images.ubuntu_2204\n  size = sizes.Standard_D8s_v5\n  serve = [ssh]\n  \
         admin {{ name = \"dsvmuser\", key = \"{KEY}\" }}\n  allow ssh from [203.0.113.0/24]\n  {pool}\n}}\n"
    )
}

#[test]
fn every_fact_is_checked_without_a_finding() {
    for module in ["images", "sizes", "roles", "regions", "metrics", "timezones", "ports"] {
        let mut text = format!("project p {{}}\nimport std.{module}\n");
        for fact in facts(module) {
            text.push_str(&format!("let x_{} = {module}.{}\n", fact.name, fact.name));
        }
        assert_eq!(compile(&text).findings(), "", "std.{module}");
    }
}

#[test]
fn policies_work_in_pools_smaller_than_they_are() {
    for policy in ["office_hours", "empty_at_night", "scale_to_zero"] {
        let text = program(&format!("machines = 0..4\n  autoscale = schedules.{policy}"), "");
        let compiled = compile(&text);
        assert_eq!(compiled.findings(), "", "{policy}");
        let template = compiled.artifacts.unwrap().deployments.remove(0).template.into_value();
        let mut settings = template["resources"].as_array().unwrap().iter();
        let autoscale = settings.rfind(|r| r["type"] == "Microsoft.Insights/autoscaleSettings").unwrap();
        for profile in autoscale["properties"]["profiles"].as_array().unwrap() {
            let most: i64 = profile["capacity"]["maximum"].as_str().unwrap().parse().unwrap();
            assert!(most <= 4, "{policy}: {profile}");
        }
    }
}

/// A policy that people take without reading must not end their sessions.
#[test]
fn office_hours_remove_no_machine_and_the_policies_that_do_are_told() {
    let autoscale = |policy: &str| {
        let compiled = compile(&program(&format!("machines = 0..10\n  autoscale = schedules.{policy}"), ""));
        let told: Vec<Code> = compiled.diagnostics.iter().map(|d| d.code).collect();
        (compiled.artifacts.unwrap().deployments.remove(0).template.pretty(), told)
    };
    let (template, told) = autoscale("office_hours");
    assert!(template.contains("\"Increase\"") && !template.contains("\"Decrease\""), "{template}");
    assert!(!template.contains("\"maximum\": \"1\""), "{template}");
    assert!(!told.contains(&Code::IdleIsNotUnused) && !told.contains(&Code::SchedulesRemoveMachines), "{told:?}");
    let (template, told) = autoscale("empty_at_night");
    assert!(template.contains("\"Decrease\"") && template.contains("\"maximum\": \"1\""), "{template}");
    assert!(told.contains(&Code::IdleIsNotUnused) && told.contains(&Code::SchedulesRemoveMachines), "{told:?}");
}

/// Autoscale common metrics (2024-11-01): the id of the queue, the metric of queues, no namespace.
#[test]
fn a_pool_follows_a_service_bus_queue() {
    let queue = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers/Microsoft.ServiceBus/namespaces/jobs/queues/work";
    let policy = format!(
        "import std.metrics\nautoscale mine {{\n  of = \"{queue}\"\n  wake = metric\n  \
         when avg(metrics.service_bus_queue_length, 5 min) > 10 {{ add 1 }}\n  \
         when avg(metrics.service_bus_queue_length, 5 min) < 1 {{ remove 1 }}\n}}"
    );
    let compiled = compile(&program("machines = 0..8\n  autoscale = mine", &policy));
    assert_eq!(compiled.findings(), "");
    let template = compiled.artifacts.unwrap().deployments.remove(0).template.pretty();
    assert_eq!(template.matches("\"metricName\": \"ActiveMessageCount\"").count(), 2, "{template}");
    assert_eq!(template.matches(queue).count(), 2, "{template}");
    assert!(!template.contains("metricNamespace"), "{template}");
}

#[test]
fn a_policy_is_cut_to_limits_that_only_the_deployment_knows() {
    let text = program("machines = 0..most\n  autoscale = schedules.scale_to_zero", "param most: int in 1..40 = 4");
    let compiled = compile(&text);
    assert_eq!(compiled.findings(), "");
    let template = compiled.artifacts.unwrap().deployments.remove(0).template.pretty();
    assert!(template.contains("min(10, parameters('most'))"), "{template}");
}

#[test]
fn a_pool_follows_a_queue() {
    let queue = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stjobs/services/queue/queues/work";
    let policy = format!("autoscale mine from schedules.follow_queue {{ of = \"{queue}\" }}");
    let compiled = compile(&program("machines = 0..8\n  autoscale = mine", &policy));
    assert_eq!(compiled.findings(), "");
    let template = compiled.artifacts.unwrap().deployments.remove(0).template.pretty();
    assert_eq!(template.matches(queue).count(), 3, "each rule measures the queue");
    assert!(template.contains("ApproximateMessageCount"));
    // Without a queue there is nothing to follow.
    let lone = compile(&program("machines = 0..8\n  autoscale = schedules.follow_queue", ""));
    assert!(lone.findings().contains("metric"), "{}", lone.findings());
}
