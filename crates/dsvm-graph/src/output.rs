//! Outputs: address, ssh line and JupyterHub of each pool, and those that the project declares.

use super::Output;
use super::context::Builder;
use super::scale_set::camel;
use super::values;
use crate::json::Json;
use dsvm_diagnostics::Sink;
use dsvm_sema::value::Value;
use std::collections::BTreeSet;

/// What every pool tells.
pub(crate) fn pools(builder: &mut Builder<'_, '_>) {
    for (index, pool) in builder.fleet.pools.iter().enumerate() {
        let Some(names) = builder.names.pools.get(index) else { continue };
        let name = pool.block.name.as_ref();
        let stem = camel(name);
        let needs: BTreeSet<_> = builder.by_block.get(&pool.id).copied().into_iter().collect();
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
            builder.outputs.push(Output {
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
}

/// What the project declares; a declared output takes the place of one of the same name.
pub(crate) fn declared(builder: &mut Builder<'_, '_>, sink: &mut Sink) {
    let mut taken = BTreeSet::new();
    let mut declared = Vec::new();
    for output in &builder.checked.outputs {
        if output.value == Value::Error {
            continue;
        }
        let needs = builder.waits_for(&output.value, output.value_span, sink);
        let made = Output {
            name: output.name.to_string(),
            arm_type: output.arm_type,
            value: values::json(&output.value, &builder.resolver()),
            description: output.doc.as_ref().map(ToString::to_string),
            needs,
            span: output.name_span,
            pool: None,
        };
        taken.insert(made.name.to_ascii_lowercase());
        declared.push(made);
    }
    builder.outputs.retain(|o| !taken.contains(&o.name.to_ascii_lowercase()));
    builder.outputs.extend(declared);
}
