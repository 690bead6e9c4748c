//! Outputs: address, ssh command and JupyterHub of each pool, and those that the project declares.

use super::ids::camel;
use super::input::Input;
use super::json::Json;
use super::node::Output;
use super::nodes::Nodes;
use super::{values, waits};
use dsvm_diagnostics::Sink;
use dsvm_sema::value::Value;
use std::collections::BTreeSet;

/// All outputs; a declared one takes the place of that of a pool with the same name.
pub(crate) fn build(input: &Input<'_, '_>, nodes: &Nodes, sink: &mut Sink) -> Vec<Output> {
    let declared = declared(input, nodes, sink);
    let taken: BTreeSet<String> = declared.iter().map(|o| o.name.to_ascii_lowercase()).collect();
    let mut outputs = of_pools(input, nodes);
    outputs.retain(|o| !taken.contains(&o.name.to_ascii_lowercase()));
    outputs.extend(declared);
    outputs
}

fn of_pools(input: &Input<'_, '_>, nodes: &Nodes) -> Vec<Output> {
    let mut outputs = Vec::new();
    for (pool, names) in input.fleet.pools.iter().zip(&input.names.pools) {
        let name = pool.block.name.as_ref();
        let stem = camel(name);
        let needs: BTreeSet<_> = nodes.of_block(pool.id).into_iter().collect();
        let all = [
            ("address", "Address", Some(&names.address), format!("Host name of pool {name}.")),
            ("ssh", "Ssh", names.ssh.as_ref(), format!("Command that logs in to pool {name}.")),
            (
                "jupyterhub",
                "JupyterHub",
                names.jupyterhub.as_ref(),
                format!("JupyterHub of pool {name}; its certificate is self-signed."),
            ),
        ];
        for (short, suffix, value, description) in all {
            let Some(value) = value else { continue };
            outputs.push(Output {
                name: format!("{stem}{suffix}"),
                arm_type: "string",
                value: Json::from(value),
                description: Some(description),
                needs: needs.clone(),
                span: pool.block.name_span,
                pool: Some((name.to_owned(), short)),
            });
        }
    }
    outputs
}

fn declared(input: &Input<'_, '_>, nodes: &Nodes, sink: &mut Sink) -> Vec<Output> {
    let outputs = input.checked.outputs.iter().filter(|output| output.value != Value::Error);
    outputs
        .map(|output| Output {
            name: output.name.to_string(),
            arm_type: output.arm_type,
            value: values::json(&output.value, &input.resolver()),
            description: output.doc.as_ref().map(ToString::to_string),
            needs: waits::waits_for(input, nodes, &output.value, output.value_span, sink),
            span: output.name_span,
            pool: None,
        })
        .collect()
}
