//! Who may log in to the machines of a cluster.
//!
//! A cluster has one switch, `remoteLoginPortPublicAccess`: "Disabled - Indicates that the public ssh port is closed on all
//! nodes of the cluster. Enabled - Indicates that the public ssh port is open on all nodes of the cluster"
//! (<https://learn.microsoft.com/dotnet/api/azure.resourcemanager.machinelearning.models.machinelearningremoteloginportpublicaccess>).
//! It takes no addresses, so `allow` can be honoured for everybody and for nobody outside the network.

use super::diags;
use crate::services::SSH;
use dsvm_diagnostics::Sink;
use dsvm_sema::table::choices::{Service, Sources};
use dsvm_sema::table::schema::View;
use dsvm_sema::table::words::{OpenTo, ServiceName};
use dsvm_sema::table::{batch as rows, pool};

/// Checks `ssh`, `admin` and `allow` of a cluster; whether the port of its machines is open to the internet. `network`:
/// whether the machines are in a network of the project.
pub(super) fn check(cluster: View<'_, rows::BatchPool>, network: bool, sink: &mut Sink) -> bool {
    let admin = cluster.admin();
    if cluster.ssh() && admin.is_none() {
        sink.push(diags::ssh_without_admin(cluster));
    }
    if let Some(admin) = admin
        && !admin.fields().key().written()
        && !admin.fields().password().written()
    {
        sink.push(crate::diags::admin_without_credentials(admin.block()));
    }
    let (mut allowed, mut open) = (false, false);
    for allow in cluster.allows() {
        let span = allow.fields().service().span();
        if !is_ssh(allow) {
            sink.push(diags::cluster_serves_ssh_only(span));
        } else if !cluster.ssh() {
            sink.push(diags::allowed_without_ssh(span, cluster));
        }
        allowed = true;
        let at = allow.fields().sources().span();
        match allow.sources().and_then(|sources| sources.known()) {
            Some(Sources::Word(OpenTo::Any)) => {
                open = true;
                if !cluster.public_ip() {
                    sink.push(diags::open_without_address(at, cluster));
                }
                if admin.is_some_and(|admin| admin.fields().password().written()) {
                    sink.push(crate::diags::password_open_to_internet("ssh", at, cluster.block()));
                }
            }
            Some(Sources::Word(OpenTo::Network)) if !network => sink.push(diags::no_network_to_log_in_from(at)),
            Some(Sources::Word(OpenTo::Network)) => {}
            Some(Sources::Ranges(_) | Sources::Range(_)) | None => sink.push(diags::ssh_from_ranges(at)),
        }
    }
    if cluster.ssh() && !allowed {
        sink.push(diags::ssh_for_nobody(cluster, network));
    }
    open && cluster.ssh()
}

fn is_ssh(allow: View<'_, pool::Allow>) -> bool {
    match allow.service() {
        Some(Service::Named(name)) => name == ServiceName::Ssh,
        Some(Service::Port(port)) => port == i64::from(SSH),
        None => true,
    }
}
