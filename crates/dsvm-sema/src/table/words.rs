//! The closed lists of words: one enum for each, so that a reader who forgets a word does not compile.

use super::schema::words;

words! {
    /// How machines of a network reach the internet.
    pub enum Outbound {
        NatGateway = "nat_gateway",
        LoadBalancer = "load_balancer",
        OwnRoute = "own_route",
        None = "none",
    }

    /// Protocol of a file share.
    pub enum Protocol { Smb = "smb", Nfs = "nfs" }

    /// Disks behind a share: hard disks or SSD.
    pub enum Performance { Standard = "standard", Premium = "premium" }

    /// Where the copies of stored data are.
    pub enum Redundancy { Lrs = "lrs", Zrs = "zrs", Grs = "grs", Gzrs = "gzrs" }

    /// Billing tier of a standard share.
    pub enum Tier { TransactionOptimized = "transaction_optimized", Hot = "hot", Cool = "cool" }

    /// How a machine proves itself to an SMB share.
    pub enum ShareAuth { ManagedIdentity = "managed_identity", KeyVault = "key_vault", AccountKey = "account_key" }

    /// How the network reaches the account of a share.
    pub enum ShareAccess { ServiceEndpoint = "service_endpoint", PrivateEndpoint = "private_endpoint" }

    /// What root on a machine may do on an NFS share.
    pub enum RootSquash { None = "none", Root = "root", All = "all" }

    /// A scope of a grant that is not a block.
    pub enum ScopeWord { ResourceGroup = "resource_group" }

    /// Where a vault keeps its keys: in software or in hardware.
    pub enum VaultSku { Standard = "standard", Premium = "premium" }

    /// How the network reaches a vault.
    pub enum VaultAccess {
        ServiceEndpoint = "service_endpoint",
        PrivateEndpoint = "private_endpoint",
        Public = "public",
    }

    /// Which roles a container registry obeys: those on the registry, or those on its repositories.
    pub enum RegistryPermissions { Registry = "registry", Repositories = "repositories" }

    /// Who registers a private endpoint in DNS when the deployment does not.
    pub enum DnsKeeper { Policy = "policy" }

    /// Operating system of an image.
    pub enum Os { Linux = "linux", Windows = "windows" }

    /// Instruction set of a size or an image.
    pub enum Architecture { X64 = "x64", Arm64 = "arm64" }

    /// A fact that may not be known.
    pub enum Known { Yes = "yes", No = "no", Unknown = "unknown" }

    /// A driver that an image brings along.
    pub enum Driver { Nvidia = "nvidia", Amd = "amd", Infiniband = "infiniband" }

    /// A service that people reach on a pool, by its name.
    pub enum ServiceName { Ssh = "ssh", Jupyterhub = "jupyterhub", Rdp = "rdp" }

    /// How far the publisher still keeps an image up.
    pub enum ImageState { Current = "current", Stale = "stale", Deprecated = "deprecated", Gone = "gone" }

    /// How sure a fact is, best first.
    pub enum Certainty { A = "A", B = "B", C = "C" }

    /// Whose driver a GPU needs.
    pub enum GpuVendor { Nvidia = "nvidia", Amd = "amd" }

    /// How the temporary disks of a size are attached.
    pub enum TempDiskKind { None = "none", Scsi = "scsi", Nvme = "nvme" }

    /// Whether a size can, or must, bypass the host for its network.
    pub enum NetworkAcceleration { No = "no", Yes = "yes", Required = "required" }

    /// Where an ephemeral system disk lies on the host.
    pub enum EphemeralPlace { CacheDisk = "cache_disk", ResourceDisk = "resource_disk", NvmeDisk = "nvme_disk" }

    /// How a size attaches its disks.
    pub enum DiskController { Scsi = "scsi", Nvme = "nvme" }

    /// What a metric measures.
    pub enum Measured {
        ScaleSet = "scale_set",
        StorageQueue = "storage_queue",
        ServiceBusQueue = "service_bus_queue",
        BatchPool = "batch_pool",
        Other = "other",
    }

    /// Unit of a metric's values and thresholds.
    pub enum MetricUnit {
        Percent = "percent",
        Count = "count",
        Bytes = "bytes",
        PerSecond = "per_second",
        Seconds = "seconds",
        Credits = "credits",
    }

    /// How the values of a metric over time become one.
    pub enum Aggregate { Avg = "avg", Min = "min", Max = "max", Sum = "sum", Count = "count", Last = "last" }

    /// Whether more machines lower a metric under the same load.
    pub enum MetricKind { Ratio = "ratio", Absolute = "absolute" }

    /// Transport protocol of a port.
    pub enum Transport { Tcp = "tcp", Udp = "udp" }

    /// Which way a port is used.
    pub enum Direction { Inbound = "inbound", Outbound = "outbound", Reserved = "reserved" }

    /// Protocol that is spoken at a port.
    pub enum Scheme {
        Ssh = "ssh",
        Http = "http",
        Https = "https",
        Rdp = "rdp",
        Smb = "smb",
        Nfs = "nfs",
        Other = "other",
    }

    /// Whether a user comes back to the same machine.
    pub enum Affinity { ClientIp = "client_ip", ClientIpProtocol = "client_ip_protocol", None = "none" }

    /// Kind of scale set.
    pub enum Orchestration { Uniform = "uniform", Flexible = "flexible" }

    /// Whether Azure can take machines away at any time.
    pub enum Priority { Regular = "regular", Spot = "spot" }

    /// Kind of OS disk of an interactive pool.
    pub enum OsDiskKind {
        PremiumSsd = "premium_ssd",
        StandardSsd = "standard_ssd",
        StandardHdd = "standard_hdd",
        Ephemeral = "ephemeral",
    }

    /// How the boot of a machine is guarded.
    pub enum Security { TrustedLaunch = "trusted_launch", Standard = "standard" }

    /// How JupyterHub knows people.
    pub enum JupyterhubAuth { PamPassword = "pam_password", Domain = "domain", Oauth = "oauth" }

    /// Which machine goes first when a pool shrinks.
    pub enum ScaleIn { Balanced = "balanced", Oldest = "oldest", Newest = "newest" }

    /// Who may reach a service, when not given by address.
    pub enum OpenTo { Any = "any", Network = "network" }

    /// Who asks a machine whether it is healthy.
    pub enum HealthSource { Extension = "extension", LoadBalancer = "load_balancer" }

    /// How a machine is asked whether it is healthy.
    pub enum HealthProtocol { Tcp = "tcp", Http = "http", Https = "https" }

    /// What happens to a machine that stays unhealthy.
    pub enum RepairAction { Replace = "replace", Reimage = "reimage", Restart = "restart" }

    /// How running machines get a changed model.
    pub enum UpgradeMode { Rolling = "rolling", Manual = "manual", Automatic = "automatic" }

    /// What becomes of a spot machine that Azure takes away.
    pub enum OnEviction { Delete = "delete", Deallocate = "deallocate" }

    /// What becomes of a machine whose setup failed.
    pub enum OnFailure { Stop = "stop", Replace = "replace" }

    /// What brings a pool back from zero machines.
    pub enum Wake { Schedule = "schedule", Metric = "metric", Manual = "manual" }

    /// What makes a pool smaller when no rule does.
    pub enum Shrink { Manual = "manual" }

    /// How the values of several machines become one.
    pub enum Across { Average = "average", Min = "min", Max = "max", Sum = "sum", Count = "count" }

    /// What a forecast of the load is used for.
    pub enum PredictMode { ForecastOnly = "forecast_only", On = "on" }

    /// Who runs the jobs of a batch pool.
    pub enum BatchService { AzureBatch = "azure_batch", AzureMl = "azure_ml", BatchAi = "batch_ai" }

    /// Whether tasks are spread over machines or fill one after the other.
    pub enum Fill { Spread = "spread", Pack = "pack" }

    /// How batch machines get a new version of their system.
    pub enum BatchUpgradeMode { Automatic = "automatic", Manual = "manual", Rolling = "rolling" }

    /// Kind of OS disk of a batch pool.
    pub enum BatchOsDisk { Managed = "managed", Ephemeral = "ephemeral" }

    /// Resources of an interactive pool that `override` can change.
    pub enum PoolResource {
        ScaleSet = "scale_set",
        LoadBalancer = "load_balancer",
        PublicIp = "public_ip",
        SecurityGroup = "security_group",
        Autoscale = "autoscale",
        Identity = "identity",
    }

    /// Resources of a batch pool that `override` can change: the pool itself is a `pool` of Azure Batch or a `cluster` of
    /// Azure Machine Learning.
    pub enum BatchResource { Pool = "pool", Cluster = "cluster", Identity = "identity" }

    /// Whether batch machines spread over availability zones.
    pub enum Placement { Regional = "regional", Zonal = "zonal" }

    /// What happens to the tasks of a machine that is removed.
    pub enum OnRemoval {
        Requeue = "requeue",
        Terminate = "terminate",
        TaskCompletion = "task_completion",
        RetainedData = "retained_data",
    }

    /// The subscription that contains the machines of a Batch account.
    pub enum Allocation { BatchService = "batch_service", UserSubscription = "user_subscription" }
}
