//! The one catalogue of diagnostic codes. One row per code; the enum, the tables and the docs come from it.
//!
//! Ranges: 00xx syntax, 01xx names, 02xx types and values, 03xx pool model, 04xx graph (042x-044x autoscale rules), 05xx emission,
//! 0450-0469 pool model, continued; 06xx lint, 07xx plan, 08xx apply and Azure, 09xx endpoint, CLI, internal. A code is never reused.

use super::Severity;

macro_rules! catalogue {
    ($($variant:ident = $number:literal, $severity:ident, $slug:literal, $title:literal;)*) => {
        /// A stable diagnostic code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $variant = $number,)* }

        impl Code {
            /// Every code in ascending order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// Stable name in kebab case, as in the file name of the explain page: `unknown-unit`.
            #[must_use]
            pub fn slug(self) -> &'static str { match self { $(Code::$variant => $slug,)* } }

            /// The meaning of the code, as a noun phrase without the particulars of one occurrence.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }

            /// Severity of a diagnostic with this code, unless it says another.
            #[must_use]
            pub fn severity(self) -> Severity { match self { $(Code::$variant => Severity::$severity,)* } }
        }

        /// Calls `$callback!` with one `Variant "slug";` for each code: how the program embeds the explain pages, whose
        /// files lie beside the rest of the documentation.
        #[macro_export]
        macro_rules! for_each_code {
            ($callback:ident) => { $callback! { $($variant $slug;)* } };
        }
    };
}

impl Code {
    /// The four digits, as in `DSVM0101`.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The code that is written so: `DSVM0101`.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.to_string() == text)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DSVM{:04}", self.number())
    }
}

// Each stage keeps its rows together, so that two people who add codes do not touch the same lines.
catalogue! {
    // 00xx source and syntax
    UnexpectedToken = 1, Error, "unexpected-token", "a word or symbol that is not allowed here";
    UnclosedBracket = 2, Error, "unclosed-bracket", "a bracket that is never closed";
    UnterminatedString = 3, Error, "unterminated-string", "a string without its closing quote";
    NestingTooDeep = 4, Error, "nesting-too-deep", "brackets or operators nested too deep";
    StrayBracket = 5, Error, "stray-bracket", "a closing bracket without an opening one";
    UnknownUnit = 6, Error, "unknown-unit", "an unknown unit";
    UnknownEscape = 7, Error, "unknown-escape", "an unknown escape sequence in a string";
    ForeignCharacter = 8, Error, "foreign-character", "a character that is not allowed outside strings";
    NotUtf8 = 9, Error, "not-utf8", "a file that is not UTF-8 text";
    MissingSeparator = 10, Error, "missing-separator", "a missing comma or newline between two items";
    ForeignSign = 11, Error, "foreign-sign", "syntax from another language";
    MissingValue = 12, Error, "missing-value", "a missing value";
    BadName = 13, Error, "bad-name", "a word that cannot be used as a name";
    DirectionOverride = 14, Error, "direction-override", "a character that changes the order in which text is shown";
    // 01xx names
    UnknownName = 101, Error, "unknown-name", "a name that is not declared";
    DuplicateName = 102, Error, "duplicate-name", "a name that is declared twice";
    UnknownField = 103, Error, "unknown-field", "a field that does not exist";
    MissingField = 104, Error, "missing-field", "a missing required field";
    ImportCycle = 105, Error, "import-cycle", "an import cycle";
    UnknownModule = 106, Error, "unknown-module", "a module or file that does not exist";
    NotExported = 107, Error, "not-exported", "a name that a module does not export";
    UnknownKind = 108, Error, "unknown-kind", "an unknown kind of declaration";
    MisplacedBlock = 109, Error, "misplaced-block", "a block that is not allowed here";
    Unused = 110, Warning, "unused", "a declaration that nothing uses";
    DuplicateField = 111, Error, "duplicate-field", "a field that is set twice";
    TooManyBlocks = 112, Error, "too-many-blocks", "too many nested blocks of one kind";
    DefinitionCycle = 113, Error, "definition-cycle", "a definition that depends on itself";
    RecursiveFunction = 114, Error, "recursive-function", "a function that calls itself";
    WrongArguments = 115, Error, "wrong-arguments", "a call with the wrong arguments";
    UnknownParam = 116, Error, "unknown-param", "an env that sets a parameter that does not exist";
    MissingEnvValue = 117, Warning, "missing-env-value", "an env without a value that other envs set";
    BadPhrase = 118, Error, "bad-phrase", "an incomplete or malformed phrase after a keyword";
    UnknownFunction = 119, Error, "unknown-function", "a function that does not exist";
    BadClass = 120, Error, "bad-class", "a block header that its kind does not allow";
    MisplacedDeclaration = 121, Error, "misplaced-declaration", "a declaration that has no effect in this file";
    BlockCycle = 122, Error, "block-cycle", "a reference cycle between blocks";
    UnknownRegion = 123, Warning, "unknown-region", "an unknown region";
    ImportRefused = 124, Error, "import-refused", "an import of something other than a source file of the project";
    BadTest = 125, Error, "bad-test", "a test that cannot be understood";
    BadRule = 126, Error, "bad-rule", "a team rule that cannot be understood";
    DataImport = 127, Error, "data-import", "an import of a data file without a type that its values can have";
    // 02xx types and values
    TypeMismatch = 201, Error, "type-mismatch", "a value of the wrong type";
    NotEarly = 202, Error, "not-early", "a value that must be known at compile time";
    OutOfRange = 203, Error, "out-of-range", "a value outside what its type allows";
    Overflow = 204, Error, "overflow", "a result that is too large or too small";
    DivisionByZero = 205, Error, "division-by-zero", "a division by zero";
    UnitsDiffer = 206, Error, "units-differ", "quantities with incompatible units";
    SecretExposed = 207, Error, "secret-exposed", "a secret in a place that is not kept secret";
    TooLarge = 208, Error, "too-large", "a project that is too expensive to evaluate";
    BadLiteral = 209, Error, "bad-literal", "a malformed literal";
    CheckFailed = 210, Error, "check-failed", "a project check whose condition is false";
    IndexOutOfRange = 211, Error, "index-out-of-range", "a list index out of range";
    NoSizeFits = 212, Error, "no-size-fits", "requirements that no size meets";
    NotAtDeployment = 213, Error, "not-at-deployment", "a computation that is impossible at deployment time";
    BadType = 214, Error, "bad-type", "an unknown or unusable type";
    BadKey = 215, Error, "bad-key", "a repeated block without usable keys";
    SecretInPlainText = 216, Error, "secret-in-plain-text", "a secret that is written in plain text";
    SizeChosen = 217, Info, "size-chosen", "the size chosen for a set of requirements";
    MayBeNull = 218, Error, "may-be-null", "a value that may be null";
    NotOneOf = 219, Error, "not-one-of", "a word that is not one of the allowed words";
    BadArgument = 220, Error, "bad-argument", "arguments for which a function has no result";
    BadNeed = 221, Error, "bad-need", "a malformed hardware requirement";
    BadCondition = 222, Error, "bad-condition", "a malformed autoscale condition";
    SecretSuspected = 223, Warning, "secret-suspected", "text that looks like a secret";
    RuleBroken = 224, Warning, "rule-broken", "a block that breaks a rule of the team";
    DataMalformed = 225, Error, "data-malformed", "a data file that cannot be read";
    NoPriceKnown = 226, Error, "no-price-known", "a choice by price among sizes without a known price";
    AlternativesRefused = 227, Error, "alternatives-refused", "alternatives that `first of` cannot hold";
    // 03xx pool model
    ImageWithoutSource = 300, Error, "image-without-source", "an image without a source";
    ImageIsGone = 301, Error, "image-is-gone", "an image that can no longer be deployed";
    ImageIsAgeing = 302, Warning, "image-is-ageing", "an image whose retirement has been announced";
    SizeIsRetired = 303, Error, "size-is-retired", "a size that can no longer be deployed";
    SizeIsRestricted = 304, Warning, "size-is-restricted", "a size that new subscriptions cannot use";
    GenerationMismatch = 305, Error, "generation-mismatch", "a size that does not boot the image's generation";
    ArchitectureMismatch = 306, Error, "architecture-mismatch", "an image built for a different processor architecture than the size";
    ImageWithoutNvme = 307, Error, "image-without-nvme", "an image that cannot boot from NVMe, on a size with NVMe disks only";
    ImagePerhapsWithoutNvme = 308, Warning, "image-perhaps-without-nvme", "an image not known to boot from NVMe, on a size with NVMe disks only";
    GpuWithoutDriver = 309, Error, "gpu-without-driver", "a GPU size whose driver the image lacks";
    VisualizationSize = 310, Error, "visualization-size", "an NV-series size with a data science image";
    NvswitchWithoutFabricManager = 311, Error, "nvswitch-without-fabric-manager", "an NVSwitch size with an image that lacks the Fabric Manager";
    EphemeralDiskImpossible = 312, Error, "ephemeral-disk-impossible", "a size that does not support an ephemeral OS disk";
    EphemeralDiskTooSmall = 313, Error, "ephemeral-disk-too-small", "an ephemeral OS disk without room for the image";
    OsDiskBelowImage = 314, Error, "os-disk-below-image", "an OS disk smaller than the image";
    PremiumDiskImpossible = 315, Error, "premium-disk-impossible", "a size that does not support premium disks";
    TrustedLaunchImpossible = 316, Error, "trusted-launch-impossible", "Trusted Launch where the image or size does not support it";
    SecureBootWithGpu = 317, Warning, "secure-boot-with-gpu", "Secure Boot on a size with GPUs";
    WindowsPool = 318, Error, "windows-pool", "an interactive pool of Windows machines";
    SpotNotOffered = 319, Error, "spot-not-offered", "a size that is not available as spot";
    SpotTermsOfRegular = 320, Error, "spot-terms-of-regular", "spot settings on a pool of regular machines";
    EvictionUnderAutoscale = 321, Error, "eviction-under-autoscale", "an eviction policy that conflicts with autoscale";
    MaxPriceRefused = 322, Error, "max-price-refused", "a maximum spot price that Azure rejects";
    NoticeOnSpot = 323, Error, "notice-on-spot", "a termination notice on spot machines";
    HealthCheckIncomplete = 324, Error, "health-check-incomplete", "an incomplete or contradictory health check";
    OutOfBounds = 325, Error, "out-of-bounds", "a setting outside Azure's limits";
    RegionWithoutZones = 326, Error, "region-without-zones", "zones in a region that has none";
    OrchestrationClash = 327, Error, "orchestration-clash", "requirements that no orchestration mode meets";
    TooManyMachines = 328, Error, "too-many-machines", "more machines than a scale set can hold";
    MachinesRangeRefused = 329, Error, "machines-range-refused", "an inconsistent number of machines";
    PoolWithoutAdmin = 330, Error, "pool-without-admin", "a pool without an administrator";
    AdminNameRefused = 331, Error, "admin-name-refused", "an administrator name that Azure rejects";
    UserNameMalformed = 332, Error, "user-name-malformed", "a user name that Linux or Azure does not accept";
    AdminWithoutCredentials = 333, Error, "admin-without-credentials", "an administrator who cannot log in";
    SshKeyRefused = 334, Error, "ssh-key-refused", "a public key that Azure does not accept";
    AccountTaken = 335, Error, "account-taken", "a duplicate account name or id";
    PasswordSecretWithoutVault = 336, Error, "password-secret-without-vault", "a password secret without a vault";
    JupyterhubUpperCase = 337, Error, "jupyterhub-upper-case", "a user name with capital letters where JupyterHub is served";
    JupyterhubWithoutPassword = 338, Error, "jupyterhub-without-password", "JupyterHub without any user who has a password";
    JupyterhubWithoutAffinity = 339, Error, "jupyterhub-without-affinity", "JupyterHub without session affinity";
    ImageWithoutJupyterhub = 340, Error, "image-without-jupyterhub", "JupyterHub on an image that does not include it";
    ServedToNobody = 341, Error, "served-to-nobody", "a service that nobody can reach";
    AllowedButNotServed = 342, Error, "allowed-but-not-served", "access to a port that is not served";
    OpenToEveryone = 343, Error, "open-to-everyone", "access from the whole internet written as an address range";
    PasswordOpenToInternet = 344, Error, "password-open-to-internet", "password login open to the whole internet";
    ServedTwice = 345, Error, "served-twice", "a port that is served twice";
    SubnetRefused = 346, Error, "subnet-refused", "a subnet that Azure rejects";
    SubnetsOverlap = 347, Error, "subnets-overlap", "overlapping subnets";
    UnknownSubnet = 348, Error, "unknown-subnet", "a subnet that the network does not have";
    SubnetWithoutRoom = 349, Error, "subnet-without-room", "a subnet with fewer addresses than machines";
    NetworkMeetsDocker = 350, Error, "network-meets-docker", "a network that overlaps Docker's address range";
    NoWayOut = 351, Error, "no-way-out", "machines that need the internet and cannot reach it";
    NoPublicBalancer = 352, Error, "no-public-balancer", "outbound access through a load balancer without a public address";
    ExistingWithoutName = 353, Error, "existing-without-name", "an existing resource without its Azure name";
    QuotaRefused = 354, Error, "quota-refused", "a share capacity that Azure does not offer";
    NfsNeedsPremium = 355, Error, "nfs-needs-premium", "an NFS share on standard storage";
    NfsTakesNoAuth = 356, Error, "nfs-takes-no-auth", "an authentication method on an NFS share";
    RootSquashOnSmb = 357, Error, "root-squash-on-smb", "an NFS setting on an SMB share";
    PremiumIsNotGeoRedundant = 358, Error, "premium-is-not-geo-redundant", "premium storage with geo-redundancy";
    ShareVaultMismatch = 359, Error, "share-vault-mismatch", "a share and a vault that do not match";
    MountIsNoPath = 360, Error, "mount-is-no-path", "a mount point that is not a plain absolute path";
    MountOnTemporaryDisk = 361, Error, "mount-on-temporary-disk", "a mount point on the temporary disk";
    MountHidesFolder = 362, Error, "mount-hides-folder", "a mount point that hides a system folder";
    MountsOverlap = 363, Error, "mounts-overlap", "overlapping mount points";
    ModeRefused = 364, Error, "mode-refused", "file permissions that are malformed or too open";
    LinkOutside = 365, Error, "link-outside", "a link that points outside the home folder or the share";
    MountByIdentityImpossible = 366, Error, "mount-by-identity-impossible", "a mount by identity where it is not supported";
    PrivilegedRole = 367, Warning, "privileged-role", "a role that lets machines change nearly everything";
    RoleIsNoGuid = 368, Error, "role-is-no-guid", "a role that is not a GUID";
    GraceBelowSetup = 369, Error, "grace-below-setup", "machines that are repaired before their setup has finished";
    // 0370-0399 batch pools
    BatchAiEnded = 370, Error, "batch-ai-ended", "a retired service";
    WrongService = 371, Error, "wrong-service", "a setting that the chosen service does not have";
    BatchImage = 372, Error, "batch-image", "an image that Azure Batch does not run";
    BatchSize = 373, Error, "batch-size", "a size or setting that Azure Batch does not support";
    InterNodeLimit = 374, Error, "inter-node-limit", "more interconnected machines than Azure allows";
    InterNodeSpot = 375, Warning, "inter-node-spot", "inter-node communication on spot machines";
    BatchMount = 376, Error, "batch-mount", "a mount that batch machines do not support";
    BatchScale = 377, Error, "batch-scale", "contradictory numbers of machines";
    BatchNetwork = 378, Error, "batch-network", "addresses or ports that Azure Batch rejects";
    AlwaysOn = 379, Info, "always-on", "machines that cost money while no job runs";
    // 0380-0399 autoscale formulas of Azure Batch
    FormulaSyntax = 380, Error, "formula-syntax", "text that is not an autoscale formula";
    FormulaLimit = 381, Error, "formula-limit", "a formula beyond the limits of Azure Batch";
    FormulaUnknownName = 382, Error, "formula-unknown-name", "an unknown name in a formula";
    FormulaReadOnly = 383, Error, "formula-read-only", "an assignment to a read-only variable";
    FormulaType = 384, Error, "formula-type", "an operation that formulas do not support";
    FormulaNoTarget = 385, Error, "formula-no-target", "a formula that sets no target";
    FormulaUnguardedSample = 386, Warning, "formula-unguarded-sample", "a sample percentage that a new pool cannot provide";
    FormulaLoneSample = 387, Warning, "formula-lone-sample", "a scaling decision based on the last sample alone";
    FormulaRunningIgnored = 388, Error, "formula-running-ignored", "running tasks that are not counted";
    FormulaUnbounded = 389, Warning, "formula-unbounded", "a target that can leave the pool's range";
    FormulaNoDeallocation = 390, Warning, "formula-no-deallocation", "a formula that leaves running tasks to the default";
    FormulaRoundedDown = 391, Warning, "formula-rounded-down", "a number of machines that is rounded down";
    FormulaCpuScale = 392, Warning, "formula-cpu-scale", "CPU usage compared as a percentage";
    BatchAccountMode = 393, Error, "batch-account-mode", "a Batch account with contradictory settings";
    TaskUser = 394, Error, "task-user", "an account that cannot be created on the machines";
    JobDoesNotFit = 395, Error, "job-does-not-fit", "a job that its pool cannot run";
    EphemeralSpot = 396, Error, "ephemeral-spot", "an ephemeral OS disk on spot machines";
    TargetWord = 397, Error, "target-word", "a target that Azure Batch cannot compute";
    BatchName = 398, Error, "batch-name", "a pool or account name that Azure rejects";
    PoolInOtherRegion = 399, Error, "pool-in-other-region", "machines in a different region from their network";
    // 04xx graph
    ResourceNamedTwice = 402, Error, "resource-named-twice", "two resources with the same type and name";
    AttributeUnavailable = 403, Error, "attribute-unavailable", "an attribute that this block does not have";
    UnknownOverride = 404, Error, "unknown-override", "an override of a resource that the pool does not have";
    TypeDisagrees = 406, Error, "type-disagrees", "a property or value that the resource type does not have";
    UnknownResourceType = 407, Warning, "unknown-resource-type", "an unknown resource type";
    RetiredResourceType = 408, Error, "retired-resource-type", "a resource type of a retired service";
    RoleOnWholeVault = 409, Info, "role-on-whole-vault", "machines that can read every secret of a vault";
    // 0420-0449 autoscale of interactive pools
    RangeWithoutAutoscale = 420, Error, "range-without-autoscale", "a range of machines without autoscale";
    AutoscaleWithoutRange = 421, Error, "autoscale-without-range", "autoscale on a fixed number of machines";
    TwoPolicies = 422, Error, "two-policies", "two autoscale policies for one pool";
    ZeroWithoutWake = 423, Error, "zero-without-wake", "a pool that can reach zero machines and never come back";
    WithoutMetricsRefused = 424, Error, "without-metrics-refused", "a `without_metrics` value that the pool cannot use";
    ThresholdsFlap = 425, Error, "thresholds-flap", "thresholds so close that the pool never shrinks";
    ThresholdsCross = 426, Error, "thresholds-cross", "a scale-in threshold above the scale-out threshold";
    RulesPointTheWrongWay = 427, Error, "rules-point-the-wrong-way", "a rule that grows on low load or shrinks on high load";
    NeverShrinks = 428, Warning, "never-shrinks", "rules that only add machines";
    NeverGrows = 429, Error, "never-grows", "rules that only remove machines";
    DifferentMetrics = 430, Warning, "different-metrics", "different metrics for growing and shrinking";
    IdleIsNotUnused = 431, Info, "idle-is-not-unused", "machines removed because they look idle";
    WindowRefused = 432, Error, "window-refused", "a time window that autoscale does not accept";
    MetricUnavailable = 433, Error, "metric-unavailable", "a metric that does not exist for this pool";
    ThresholdUnit = 434, Error, "threshold-unit", "a threshold in a different unit from its metric";
    RuleWithoutAction = 435, Error, "rule-without-action", "a rule without exactly one action";
    SetOutside = 436, Error, "set-outside", "a rule that sets a number outside the pool's range";
    TooManyProfiles = 437, Error, "too-many-profiles", "more rules or profiles than an autoscale setting can hold";
    SchedulesOverlap = 438, Error, "schedules-overlap", "overlapping schedules";
    ScheduleRefused = 439, Error, "schedule-refused", "a schedule with a missing or impossible time";
    ScheduleOutsidePool = 440, Error, "schedule-outside-pool", "a schedule whose limits exceed those of the pool";
    UnknownTimezone = 441, Error, "unknown-timezone", "an unknown time zone";
    ForecastWithoutCpuRule = 442, Error, "forecast-without-cpu-rule", "a forecast without a CPU rule that adds machines";
    CooldownBelowSetup = 443, Warning, "cooldown-below-setup", "a cooldown shorter than the setup of new machines";
    SchedulesRemoveMachines = 444, Info, "schedules-remove-machines", "a schedule that removes machines in use";
    // 0450-0469 pool model, continued: 03xx is full
    OsImagesRefused = 450, Error, "os-images-refused", "automatic upgrades of an image that Azure does not upgrade";
    OsImagesUnlisted = 451, Warning, "os-images-unlisted", "automatic upgrades of an image that Azure is not known to upgrade";
    ImageVersionExpired = 452, Warning, "image-version-expired", "a pinned image version that is no longer kept";
    TrustedLaunchUnknown = 453, Warning, "trusted-launch-unknown", "an image not known to boot with Trusted Launch";
    SpotNotRestored = 454, Warning, "spot-not-restored", "evicted spot machines that do not come back";
    SubnetEndpointNeeded = 455, Info, "subnet-endpoint-needed", "an existing subnet that needs the storage endpoint";
    DnsZoneRefused = 456, Error, "dns-zone-refused", "a private DNS zone that an endpoint cannot use";
    AccountReserved = 460, Error, "account-reserved", "an account name or id that the machines' system uses";
    GroupRefused = 461, Error, "group-refused", "a group name that Linux does not accept";
    GroupGivesRoot = 462, Error, "group-gives-root", "a group that gives root rights to a user without `sudo`";
    GroupGivesRights = 463, Info, "group-gives-rights", "a group that lets a user read what belongs to the system";
    NfsSubnetShared = 464, Error, "nfs-subnet-shared", "a subnet with machines that an NFS share should not trust";
    NfsReachable = 465, Warning, "nfs-reachable", "an NFS share that other pools of the network can reach";
    RootOnNfsPool = 466, Warning, "root-on-nfs-pool", "users who can become root beside an NFS share";
    SmbWithoutPrivacy = 467, Warning, "smb-without-privacy", "folders of users on an SMB share, which everybody on the pool can read";
    NfsOwnerClash = 468, Warning, "nfs-owner-clash", "users of different pools whose files on an NFS share are mixed up";
    MountOptionRefused = 469, Error, "mount-option-refused", "a mount option that would break the mount";
    HealthTooSlow = 475, Error, "health-too-slow", "a health check that takes too long for a verdict";
    HostKeyWithoutVault = 476, Error, "host-key-without-vault", "an SSH host key without a vault";
    MemoryLimitRefused = 477, Error, "memory-limit-refused", "a limit of memory that does not fit the machines";
    SetupNotReplaced = 478, Error, "setup-not-replaced", "replacement of machines that no repair replaces";
    AllowedWithoutAddress = 479, Warning, "allowed-without-address", "access from the internet to a pool without a public address";
    StorageOpened = 480, Warning, "storage-opened", "a storage account that an override or a resource opens";
    HostNamesCut = 481, Info, "host-names-cut", "host names that begin with a part of the pool's name";
    BudgetExceeded = 482, Warning, "budget-exceeded", "a project that can cost more than its budget";
    BudgetRefused = 483, Error, "budget-refused", "a budget that cannot be compared with prices";
    OverrideBreaks = 490, Error, "override-breaks", "an override that takes away what the pool relies on";
    AlternativesDiffer = 494, Error, "alternatives-differ", "sizes that cannot stand in for each other";
    SpotShareRefused = 495, Error, "spot-share-refused", "a share of regular machines that a spot pool cannot have";
    // 05xx emission
    NameRefused = 501, Error, "name-refused", "a name that Azure rejects";
    TooManyParameters = 502, Error, "too-many-parameters", "more parameters than a template can have";
    TooManyOutputs = 503, Error, "too-many-outputs", "more outputs than a template can have";
    ResourceTooLarge = 504, Error, "resource-too-large", "a resource larger than a template can hold";
    ExpressionTooLong = 505, Error, "expression-too-long", "an expression longer than a template can hold";
    SetupTooLong = 506, Error, "setup-too-long", "a setup longer than Azure accepts";
    ParameterTaken = 507, Error, "parameter-taken", "a parameter whose name dsvmc reserves";
    TagsRefused = 508, Error, "tags-refused", "tags that Azure rejects";
    // 06xx lint
    LintFinding = 601, Warning, "lint-finding", "something that a lint rule advises against";
    AllowanceUnused = 602, Warning, "allowance-unused", "a `dsvmc-allow` comment that allows nothing";
    AllowanceRefused = 603, Warning, "allowance-refused", "a `dsvmc-allow` comment that has no effect";
    SettingsUnreadable = 604, Error, "settings-unreadable", "a `dsvmc.toml` that cannot be read";
    SettingUnknown = 605, Error, "setting-unknown", "an unknown or unusable entry in `dsvmc.toml`";
    // 07xx plan
    PlanRefused = 701, Error, "plan-refused", "a saved plan that no longer applies";
    ParameterMissing = 702, Error, "parameter-missing", "a parameter without a value";
    ParameterUnusable = 703, Error, "parameter-unusable", "a parameter value that cannot be used";
    TemplateUnusable = 704, Error, "template-unusable", "a template that cannot be expanded";
    EnvNeeded = 705, Error, "env-needed", "no env selected";
    ObservedUnusable = 706, Error, "observed-unusable", "a file of observed resources that cannot be used";
    ExcludedButNeeded = 707, Error, "excluded-but-needed", "an excluded resource that the rest needs";
    ExistingUnsuitable = 708, Error, "existing-unsuitable", "an existing resource that is missing or lacks what the project needs";
    NotRegistered = 709, Error, "not-registered", "a feature or resource provider that the subscription has not registered";
    // 08xx apply and Azure
    EndpointUnreachable = 801, Error, "endpoint-unreachable", "Resource Manager cannot be reached";
    ResourceRefused = 802, Error, "resource-refused", "a resource that Azure rejected";
    ApplyStopped = 803, Error, "apply-stopped", "an apply that stopped part-way";
    ServiceRefused = 804, Error, "service-refused", "a request that Azure rejected";
    NoToken = 805, Error, "no-token", "no access token";
    ClientSetup = 806, Error, "client-setup", "a client setting that cannot be used";
    ProjectLocked = 807, Error, "project-locked", "another apply is running";
    ConsentNeeded = 808, Error, "consent-needed", "an apply without confirmation";
    Protected = 809, Error, "protected", "deletion of a protected resource";
    StateUnusable = 810, Error, "state-unusable", "a `.dsvmc` folder that cannot be used";
    NotDeployed = 811, Error, "not-deployed", "a resource that is not deployed";
    ChangeRefused = 812, Error, "change-refused", "a change that Azure refuses";
    RolloutStopped = 813, Error, "rollout-stopped", "a rollout that stopped before every machine was changed";
    AnswerUnusable = 814, Error, "answer-unusable", "an answer that Resource Manager would not give";
    AnswerEndless = 815, Error, "answer-endless", "an answer, a list or an operation without an end";
    AddressRefused = 816, Error, "address-refused", "an address that no call goes to";
    // 09xx endpoint, command line, internal
    FileUnreadable = 901, Error, "file-unreadable", "a file or folder that cannot be read";
    NoSources = 902, Error, "no-sources", "a folder without any `.dsvm` file";
    SeveralProjects = 903, Error, "several-projects", "several projects where one is required";
    OutputUnwritable = 904, Error, "output-unwritable", "a file that cannot be written";
    FileIgnored = 905, Warning, "file-ignored", "a file beside `main.dsvm` that nothing imports";
    NoProject = 906, Error, "no-project", "sources without a project";
    TestFailed = 907, Error, "test-failed", "a test whose expectation is not met";
    WorkloadRefused = 908, Error, "workload-refused", "a workload that cannot be simulated";
    UsagesUnusable = 910, Error, "usages-unusable", "a list of limits that cannot be used";
    PlacementRefused = 911, Error, "placement-refused", "regions or machines that Azure does not score";
    Internal = 999, Error, "internal", "an internal error in dsvmc";
}
