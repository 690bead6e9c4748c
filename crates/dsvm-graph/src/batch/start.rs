//! The start task of a machine: links where shares are mounted, then the steps of `setup`, in one bash.

use crate::json::{Json, json};
use dsvm_model::batch::{BatchPool, dedented};
use dsvm_sema::table::View;
use dsvm_sema::table::types::Late;
use std::fmt::Write as _;

/// Folder under `AZ_BATCH_NODE_MOUNTS_DIR` for an absolute path.
pub(super) fn relative(mount: &str) -> String {
    mount.trim_matches('/').to_owned()
}

/// The start task; `None` when there is nothing to do.
pub(super) fn task(pool: &BatchPool<'_>, mounts: &[&str]) -> Option<Json> {
    let setup = pool.view.setup();
    let packages: Vec<&str> = setup.and_then(View::packages).into_iter().flatten().collect();
    let steps: Vec<_> = setup.into_iter().flat_map(View::steps).collect();
    if mounts.is_empty() && packages.is_empty() && steps.is_empty() {
        return None;
    }
    let mut script = String::from("set -euo pipefail\n");
    for mount in mounts {
        let parent = mount.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        // Writing to a string cannot fail.
        let _ = writeln!(
            script,
            "mkdir -p {} && ln -sfn \"$AZ_BATCH_NODE_MOUNTS_DIR\"/{} {}",
            quoted(parent),
            quoted(&relative(mount)),
            quoted(mount)
        );
    }
    if !packages.is_empty() {
        let list: Vec<String> = packages.iter().map(|p| quoted(p)).collect();
        // The last failure ends the task: a machine without its packages takes no jobs.
        let _ = writeln!(
            script,
            "for i in 1 2 3 4 5; do apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y {} && break; \
             [ \"$i\" -lt 5 ] || exit 1; sleep 15; done",
            list.join(" ")
        );
    }
    let mut retries = 3;
    for step in steps {
        let run = dedented(step.run().and_then(Late::known).unwrap_or(""));
        let _ = writeln!(script, "# {}\n{run}", step.block().name);
        retries = step.retries();
    }
    Some(json!({
        // The service runs no shell by itself.
        "commandLine": format!("/bin/bash -c {}", quoted(script.trim_end())),
        "userIdentity": { "autoUser": { "scope": "Pool", "elevationLevel": "Admin" } },
        "maxTaskRetryCount": retries,
        "waitForSuccess": true,
    }))
}

/// A word of the shell; bare when nothing in it is special.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=:@".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quoted("/data/sets"), "/data/sets");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
