//! Rows of pools that run jobs, and of what they need: accounts, workspaces, blob containers, jobs.

use super::choices::{Count, RegistryName, Storage};
use super::facts::{Image, Size};
use super::identity::Identity;
use super::network::Network;
use super::pool::{Admin, Allow, Setup};
use super::registry::Registry;
use super::resource::Override;
use super::schema::blocks;
use super::share::Share;
use super::types::{IntIn, IntRange, List, Money, PortNumber, Preferred, Ref, Seconds, Secret, StringMap, Text};
use super::vault::Vault;
use super::words::{
    Allocation, BatchOsDisk, BatchService, BatchUpgradeMode, Fill, OnRemoval, Placement, Priority, Redundancy,
    Transport,
};
use super::{Head, Part};
use crate::value::Formula;
use ipnet::IpNet;

blocks! {
    /// A pool of machines that run jobs and go away when there are none: a pool of Azure Batch, or a compute
    /// cluster of Azure Machine Learning. Whoever may submit tasks or jobs has the pool's identity and, on Azure Batch, can
    /// ask for an administrator's account on the machines, which reads the keys of mounted SMB shares and all files of NFS
    /// shares there.
    BatchPool {
        head: Head::Name, top_level;
        fields {
            /// Who runs the jobs. Batch AI ended on 31 March 2019; naming it leads to its successors.
            service: BatchService, required, early;
            /// Batch account of the pool; generated if omitted (`azure_batch`).
            account: Ref<BatchAccount>, early;
            /// Workspace of the cluster; generated if omitted (`azure_ml`).
            workspace: Ref<Workspace>, early;
            /// Name in Azure; the block's name with `-` for `_` if omitted.
            name: Text, early;
            /// Name as shown to people (`azure_batch`).
            display_name: Text;
            /// What the machines run; one that Azure Batch supports. Azure Machine Learning brings its own: there
            /// the environment of a job is a container.
            image: Ref<Image>, early;
            /// Hardware: a size by name, or by requirements with `smallest(…)` or `cheapest(…)`. `first of [a, b]` names
            /// alternatives in order of preference, for when Azure has none of the first.
            size: Preferred<Ref<Size>>, required, early;
            /// How many, of the kind that `priority` says. A range belongs to autoscale; deploying again never
            /// resets the number.
            machines: Count<'static>, required;
            /// Spot machines next to regular ones (`azure_batch`).
            spot_machines: Count<'static> = "0";
            /// Spot machines cost less and can be evicted at any time. Neither service supports a maximum price.
            priority: Priority = "regular", early;
            /// Not supported by either service: spot machines cost the current spot price.
            max_price: Money;
            /// Tasks that one machine runs at a time: at most four for each vCPU, and never more than 256
            /// (`azure_batch`).
            task_slots: IntIn<1, 256> = "1", early;
            /// Whether tasks are spread over machines or fill one after the other (`azure_batch`).
            fill: Fill = "spread", early;
            /// Machines talk to each other, as MPI needs. Limits the pool to 100 machines (`azure_batch`).
            inter_node: bool = "false", early;
            /// How long a machine is idle before it is removed (`azure_ml`; for Azure Batch use `autoscale`).
            idle: Seconds, early;
            /// File shares to mount, at most ten together with `containers`.
            shares: List<Ref<Share>>, early;
            /// Blob containers to mount.
            containers: List<Ref<Container>>, early;
            /// Network of the machines; the service's own if omitted.
            network: Ref<Network>, early;
            /// Which subnet of the network, by the name of its block; the first if omitted.
            subnet: Text, early;
            /// Whether machines have public addresses, as they need without a network of yours.
            public_ip: bool = "true", early;
            /// Network cards that bypass the host; on wherever the size has it (`azure_batch`).
            accelerated_networking: bool, early;
            /// Whether people can log in to the machines (`azure_ml`); `allow ssh` says from where.
            ssh: bool = "false", early;
            /// Private registries that hold the images of the cluster's jobs: its identity gets the role that pulls
            /// (`azure_ml`; for Azure Batch use `docker`).
            registries: List<Ref<Registry>>, early;
            /// Identity of the machines; generated when a container or a registry needs one.
            identity: Ref<Identity>, early;
            /// Application packages of the account, `name` or `name:version`, at most ten (`azure_batch`). Azure
            /// refuses a pool with a package that is not uploaded yet.
            applications: List<Text>, early;
            /// How machines get a new version of their system (`azure_batch`).
            upgrade_mode: BatchUpgradeMode, early;
            /// Kind of OS disk. `ephemeral` is stored on the host and not supported on spot machines (`azure_batch`).
            os_disk: BatchOsDisk = "managed", early;
            /// Whether machines spread over availability zones (`azure_batch`).
            placement: Placement = "regional", early;
            /// How long a resize of a fixed pool is tried: 5 minutes to 7 days (`azure_batch`).
            resize_timeout: Seconds = "15 min", early;
            /// What happens to the tasks of a machine that a resize removes (`azure_batch`); under autoscale its
            /// own `on_removal` counts.
            on_removal: OnRemoval = "task_completion", early;
            /// A formula of Azure Batch in its own language, instead of `autoscale`; checked all the same.
            formula: Text, early;
            /// How often `formula` is evaluated: 5 minutes to 168 hours.
            every: Seconds = "15 min", early;
            /// Most that the pool may cost with its disks, for a time: `900 USD/month`. A warning tells when its most machines
            /// cost more, at the prices that are known.
            budget: Money, early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        children {
            autoscale: one BatchAutoscale;
            admin: one Admin;
            task_users: any TaskUser;
            setup: one Setup;
            docker: one Docker;
            allows: any Allow;
            nats: 5 Nat;
            overrides: any Override;
        }
        attributes BatchPoolAttribute {
            /// Resource id of the pool or cluster.
            id: "string";
            /// Its name in Azure.
            name: "string";
        }
    }

    /// How a pool of Azure Batch follows its tasks. Without targets it asks for as many machines as waiting and
    /// running tasks need; what it writes is guarded against missing samples, rounded up and kept inside the
    /// declared range.
    BatchAutoscale {
        head: Head::Phrase(&[Part::Optional("every", "every")]);
        fields {
            /// How often the formula is evaluated: 5 minutes to 168 hours.
            every: Seconds = "15 min", early;
            /// How far back tasks are averaged.
            look_back: Seconds = "15 min", early;
            /// Regular machines wanted, of `pending_tasks`, `active_tasks`, `running_tasks`, `evicted`,
            /// `task_slots`, `current`, `current_spot`, `hour`, `weekday`: `ceil(avg(pending_tasks, 15 min) /
            /// task_slots)`.
            target: Formula, early;
            /// Spot machines wanted, in the same form.
            target_spot: Formula, early;
            /// Regular machines replace evicted spot machines, as far as their range allows.
            replace_evicted: bool = "false", early;
            /// What happens to the tasks of a machine that is removed.
            on_removal: OnRemoval = "task_completion", early;
        }
    }

    /// An account that tasks run under; not one to log in with (`azure_batch`).
    TaskUser {
        head: Head::Name;
        fields {
            /// User name, at most 20 characters; the block's name if omitted.
            name: Text, early;
            /// Password; Azure wants one.
            password: Secret<Text>, required;
            /// Runs with administrator's rights.
            elevated: bool = "false", early;
            /// User id on Linux; goes with `gid`.
            uid: IntIn<1000, 60000>, early;
            /// Group id on Linux; goes with `uid`.
            gid: IntIn<1000, 60000>, early;
        }
    }

    /// Containers that tasks can run in; needs an image that Azure Batch can run containers on (`azure_batch`).
    Docker {
        head: Head::None;
        fields {
            /// Images that every machine pulls at its start.
            images: List<Text>, early;
            /// Private registry that the pool's identity pulls from: a `registry` block, where it gets the role, or the
            /// login server of one where its owner has granted the role.
            registry: RegistryName<'static>, early;
        }
    }

    /// A port of every machine, reachable through the pool's public address (`azure_batch`).
    Nat {
        head: Head::Name;
        fields {
            /// Port on the machine; not 29876 or 29877, which the service uses.
            port: PortNumber, required, early;
            /// Transport protocol of the port.
            protocol: Transport = "tcp", early;
            /// Ports at the public address, one for each machine and at least 40; not between 50000 and 55000.
            frontend: IntRange, required, early;
            /// Who may reach it; nobody else can.
            from: List<IpNet>, required, early;
        }
    }

    /// An account of Azure Batch. Pools without one share a generated account; an `existing` one is only referred
    /// to.
    BatchAccount {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Name: 3 to 24 lower-case letters and digits, unique in the region; derived from the resource group
            /// if omitted. An `existing` account needs it.
            name: Text;
            /// Subscription that contains the machines. `user_subscription` needs a `vault`, does not support shared
            /// keys, and needs two roles for the service Microsoft Azure Batch, which no template can grant.
            allocation: Allocation = "batch_service", early;
            /// Vault of the account, for `allocation = user_subscription`.
            vault: Ref<Vault>, early;
            /// Whether programs may log in with the account's keys, not only with Entra identities.
            shared_keys: bool = "false", early;
            /// A storage account for application packages and task files, reached by the account's identity.
            storage: bool = "true", early;
            /// Whether the account can be reached from the internet.
            public: bool = "true", early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        attributes BatchAccountAttribute {
            /// Resource id in Azure.
            id: "string";
            /// Its name in Azure.
            name: "string";
            /// Host name of the account.
            endpoint: "string";
        }
    }

    /// A workspace of Azure Machine Learning, with the storage account, vault and Application Insights that it
    /// needs. Clusters without one share a generated workspace.
    Workspace {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Name in Azure; `mlw-` and the block's name if omitted. An `existing` workspace needs it.
            name: Text, early;
            /// Name as shown to people.
            display_name: Text;
            /// Its vault; generated if omitted.
            vault: Ref<Vault>, early;
            /// Whether the workspace can be reached from the internet.
            public: bool = "true", early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        attributes WorkspaceAttribute {
            /// Resource id in Azure.
            id: "string";
            /// Its name in Azure.
            name: "string";
            /// Object id of its identity.
            principal_id: "string";
        }
    }

    /// A blob container that batch machines mount. Cheaper than a share and not POSIX: no locks, and two writers of
    /// one blob overwrite each other.
    Container {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Where machines mount it: an absolute path, not under `/mnt`.
            mount: Text, required, early;
            /// Name of the container in Azure; the block's name with `-` for `_` if omitted.
            name: Text;
            /// Name of the storage account, globally unique; derived from the resource group if omitted.
            /// An `existing` container needs it.
            account: Text;
            /// Resource group of an `existing` container, when it is not the one deployed to.
            resource_group: Text;
            /// Copies of the data.
            redundancy: Redundancy = "zrs", early;
            /// Options for blobfuse, added to those that dsvmc writes.
            options: Text, early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        attributes ContainerAttribute {
            /// Resource id in Azure.
            id: "string";
            /// Name of the storage account.
            account: "string";
            /// Name of the container in Azure.
            name: "string";
        }
    }

    /// A first job for a pool. Jobs are not resources: `build` writes the job file and the command that submits it
    /// next to the template.
    Job {
        head: Head::Name, top_level;
        fields {
            /// The batch pool that runs it.
            pool: Ref<BatchPool>, required, early;
            /// What runs, by bash.
            command: Text, required, early;
            /// Machines that one run uses, not more than the pool can have.
            nodes: IntIn<1, 1000> = "1", early;
            /// Task slots that it uses on its machine (`azure_batch`).
            slots: IntIn<1, 256> = "1", early;
            /// Runs on all its machines under MPI; the pool needs `inter_node`. On Azure Batch `mpirun` finds the
            /// machines by itself and reaches them by SSH, as it is on the machines' own image. In a container it reaches
            /// the machines and not the containers on them, and nothing that dsvmc writes changes that: a job with
            /// `environment` works only with an image that brings and starts an SSH server with keys on a port of its own.
            /// Azure Machine Learning connects the containers of a job itself.
            mpi: bool = "false", early;
            /// Container image that it runs in; Azure Machine Learning needs one. On Azure Batch it sees all that
            /// its pool mounts.
            environment: Text, early;
            /// What it reads; mounted by the pool. On Azure Machine Learning a job sees only its inputs and outputs.
            inputs: List<Storage>, early;
            /// What it writes, and may read; mounted by the pool. The identity of a cluster may only read a container
            /// that all jobs of the project only read.
            outputs: List<Storage>, early;
            /// It is ended after so long.
            time_limit: Seconds = "7 days", early;
            /// How often a failed task is tried again.
            retries: IntIn<0, 10> = "0", early;
        }
    }
}
