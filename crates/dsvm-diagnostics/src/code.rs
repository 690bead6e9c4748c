//! The one catalogue of diagnostic codes. One row per code; the enum, the tables and the docs come from it.
//!
//! Ranges: 00xx syntax, 01xx names, 02xx types and values, 03xx pool model, 04xx graph (042x-044x autoscale rules), 05xx emission,
//! 06xx lint, 07xx plan, 08xx apply and Azure, 09xx endpoint, CLI, internal. A code is never reused.

use super::Severity;

macro_rules! catalogue {
    ($($variant:ident = $number:literal, $severity:ident, $slug:literal, $title:literal;)*) => {
        /// A stable diagnostic code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $variant = $number,)* }

        impl Code {
            /// Every code in ascending order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// Kebab-case name.
            #[must_use]
            pub fn slug(self) -> &'static str { match self { $(Code::$variant => $slug,)* } }

            /// The fact in general words.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }

            /// Default severity.
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
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DSVM{:04}", self.number())
    }
}

// Each stage keeps its rows together, so that two people who add codes do not touch the same lines.
catalogue! {
    // 00xx source and syntax
    UnexpectedToken = 1, Error, "unexpected-token", "a word or sign that cannot stand here";
    UnclosedBracket = 2, Error, "unclosed-bracket", "a bracket that is never closed";
    UnterminatedString = 3, Error, "unterminated-string", "a string without its closing quote";
    NestingTooDeep = 4, Error, "nesting-too-deep", "brackets or operators nested too deep";
    StrayBracket = 5, Error, "stray-bracket", "a closing bracket that closes nothing";
    UnknownUnit = 6, Error, "unknown-unit", "a unit that the language does not know";
    UnknownEscape = 7, Error, "unknown-escape", "a backslash in a string before a letter that makes no escape";
    ForeignCharacter = 8, Error, "foreign-character", "a character that has no meaning outside strings";
    NotUtf8 = 9, Error, "not-utf8", "a file that is not UTF-8 text";
    MissingSeparator = 10, Error, "missing-separator", "two things without a comma or a newline between them";
    ForeignSign = 11, Error, "foreign-sign", "a sign that other languages use here";
    MissingValue = 12, Error, "missing-value", "a value is missing";
    BadName = 13, Error, "bad-name", "a name that cannot be a name";
    // 01xx names
    UnknownName = 101, Error, "unknown-name", "a name that is not declared";
    DuplicateName = 102, Error, "duplicate-name", "a name that is declared twice";
    UnknownField = 103, Error, "unknown-field", "a field that does not exist";
    MissingField = 104, Error, "missing-field", "a field that must be there is missing";
    ImportCycle = 105, Error, "import-cycle", "files that import each other in a circle";
    UnknownModule = 106, Error, "unknown-module", "a module or file that does not exist";
    NotExported = 107, Error, "not-exported", "a name that a module does not export";
    UnknownKind = 108, Error, "unknown-kind", "a kind of declaration that does not exist";
    MisplacedBlock = 109, Error, "misplaced-block", "a block that cannot stand here";
    Unused = 110, Warning, "unused", "a declaration that nothing uses";
    DuplicateField = 111, Error, "duplicate-field", "a field that is set twice";
    TooManyBlocks = 112, Error, "too-many-blocks", "more nested blocks of a kind than there can be";
    DefinitionCycle = 113, Error, "definition-cycle", "a definition that needs its own value";
    RecursiveFunction = 114, Error, "recursive-function", "a function that calls itself";
    WrongArguments = 115, Error, "wrong-arguments", "a call with the wrong arguments";
    UnknownParam = 116, Error, "unknown-param", "an env that sets a parameter which does not exist";
    MissingEnvValue = 117, Warning, "missing-env-value", "an env without a value that other envs have";
    BadPhrase = 118, Error, "bad-phrase", "what follows a keyword is not complete or does not belong there";
    UnknownFunction = 119, Error, "unknown-function", "a function that does not exist";
    BadClass = 120, Error, "bad-class", "what stands around a block's name does not fit its kind";
    MisplacedDeclaration = 121, Error, "misplaced-declaration", "a declaration that has no effect in this file";
    BlockCycle = 122, Error, "block-cycle", "blocks that refer to each other in a circle";
    // 02xx types and values
    UnknownRegion = 123, Warning, "unknown-region", "a region that is not known";
    TypeMismatch = 201, Error, "type-mismatch", "a value of another type is expected here";
    NotEarly = 202, Error, "not-early", "a value that must be known while compiling";
    OutOfRange = 203, Error, "out-of-range", "a value outside what its type allows";
    Overflow = 204, Error, "overflow", "a result that is too large or too small";
    DivisionByZero = 205, Error, "division-by-zero", "a division by zero";
    UnitsDiffer = 206, Error, "units-differ", "quantities that cannot be joined";
    SecretExposed = 207, Error, "secret-exposed", "a secret in a place that is not kept secret";
    TooLarge = 208, Error, "too-large", "a project that takes too much to evaluate";
    BadLiteral = 209, Error, "bad-literal", "a written value that cannot be read";
    CheckFailed = 210, Error, "check-failed", "a rule of the project that does not hold";
    IndexOutOfRange = 211, Error, "index-out-of-range", "an element outside a list";
    NoSizeFits = 212, Error, "no-size-fits", "needs that no size meets";
    NotAtDeployment = 213, Error, "not-at-deployment", "a computation that the deployment cannot do";
    BadType = 214, Error, "bad-type", "a type that does not exist or cannot stand here";
    BadKey = 215, Error, "bad-key", "a repeated block without good keys";
    SecretInPlainText = 216, Error, "secret-in-plain-text", "a secret that is written in plain text";
    SizeChosen = 217, Info, "size-chosen", "which size was chosen by need";
    MayBeNull = 218, Error, "may-be-null", "a value that may be missing";
    NotOneOf = 219, Error, "not-one-of", "a word that is none of those that can stand here";
    BadArgument = 220, Error, "bad-argument", "values that a function cannot compute with";
    BadNeed = 221, Error, "bad-need", "a need for hardware that cannot be read";
    BadCondition = 222, Error, "bad-condition", "a condition of autoscale that cannot be read";
    // 03xx pool model
    ImageWithoutSource = 300, Error, "image-without-source", "an image that does not say where it is found";
    ImageIsGone = 301, Error, "image-is-gone", "an image that can no longer be deployed";
    ImageIsAgeing = 302, Warning, "image-is-ageing", "an image whose end is announced";
    SizeIsRetired = 303, Error, "size-is-retired", "a size that can no longer be deployed";
    SizeIsRestricted = 304, Warning, "size-is-restricted", "a size that new subscriptions cannot use";
    GenerationMismatch = 305, Error, "generation-mismatch", "a size that does not boot the image's generation";
    ArchitectureMismatch = 306, Error, "architecture-mismatch", "an image for another processor architecture than the size has";
    ImageWithoutNvme = 307, Error, "image-without-nvme", "a size with NVMe disks only, and an image that cannot start from them";
    ImagePerhapsWithoutNvme = 308, Warning, "image-perhaps-without-nvme", "a size with NVMe disks only, and an image that is not known to start from them";
    GpuWithoutDriver = 309, Error, "gpu-without-driver", "a size with GPUs whose driver the image lacks";
    VisualizationSize = 310, Error, "visualization-size", "a size of the NV series with a data science image";
    NvswitchWithoutFabricManager = 311, Error, "nvswitch-without-fabric-manager", "a size with NVSwitch and an image without the Fabric Manager";
    EphemeralDiskImpossible = 312, Error, "ephemeral-disk-impossible", "a size that has no place for an ephemeral system disk";
    EphemeralDiskTooSmall = 313, Error, "ephemeral-disk-too-small", "an ephemeral system disk without room for the image";
    OsDiskBelowImage = 314, Error, "os-disk-below-image", "a system disk smaller than the image";
    PremiumDiskImpossible = 315, Error, "premium-disk-impossible", "a size that takes no premium disks";
    TrustedLaunchImpossible = 316, Error, "trusted-launch-impossible", "Trusted Launch where image or size cannot do it";
    SecureBootWithGpu = 317, Warning, "secure-boot-with-gpu", "Secure Boot on a size with GPUs";
    WindowsPool = 318, Error, "windows-pool", "an interactive pool of Windows machines";
    SpotNotOffered = 319, Error, "spot-not-offered", "a size that is not offered at spot price";
    SpotTermsOfRegular = 320, Error, "spot-terms-of-regular", "spot terms of a pool with regular machines";
    EvictionUnderAutoscale = 321, Error, "eviction-under-autoscale", "an eviction rule that autoscale cannot live with";
    MaxPriceRefused = 322, Error, "max-price-refused", "a spot price that Azure does not take";
    NoticeOnSpot = 323, Error, "notice-on-spot", "a notice before deletion that spot machines do not get";
    HealthCheckIncomplete = 324, Error, "health-check-incomplete", "a health check that lacks a part or has one too many";
    OutOfBounds = 325, Error, "out-of-bounds", "a setting outside of the bounds that Azure gives it";
    RegionWithoutZones = 326, Error, "region-without-zones", "zones in a region that has none";
    OrchestrationClash = 327, Error, "orchestration-clash", "needs that no kind of scale set meets together";
    TooManyMachines = 328, Error, "too-many-machines", "more machines than a scale set can hold";
    MachinesRangeRefused = 329, Error, "machines-range-refused", "a number of machines that contradicts itself";
    PoolWithoutAdmin = 330, Error, "pool-without-admin", "a pool without an administrator";
    AdminNameRefused = 331, Error, "admin-name-refused", "an administrator's name that Azure refuses";
    UserNameMalformed = 332, Error, "user-name-malformed", "a user name that Linux or Azure does not take";
    AdminWithoutCredentials = 333, Error, "admin-without-credentials", "an administrator who cannot log in";
    SshKeyRefused = 334, Error, "ssh-key-refused", "a public key that Azure does not take";
    AccountTaken = 335, Error, "account-taken", "two accounts with the same name or id";
    PasswordSecretWithoutVault = 336, Error, "password-secret-without-vault", "a password in a vault that the pool does not name";
    JupyterhubUpperCase = 337, Error, "jupyterhub-upper-case", "a user name with capitals where JupyterHub is served";
    JupyterhubWithoutPassword = 338, Error, "jupyterhub-without-password", "JupyterHub without anybody who has a password";
    JupyterhubWithoutAffinity = 339, Error, "jupyterhub-without-affinity", "JupyterHub where users change machines";
    ImageWithoutJupyterhub = 340, Error, "image-without-jupyterhub", "JupyterHub served from an image that has none";
    ServedToNobody = 341, Error, "served-to-nobody", "a service that nobody may reach";
    AllowedButNotServed = 342, Error, "allowed-but-not-served", "access to a port that nothing serves";
    OpenToEveryone = 343, Error, "open-to-everyone", "the whole internet let in as a number";
    PasswordOpenToInternet = 344, Error, "password-open-to-internet", "password log-in open to the whole internet";
    ServedTwice = 345, Error, "served-twice", "a port served twice";
    SubnetRefused = 346, Error, "subnet-refused", "a subnet that Azure refuses";
    SubnetsOverlap = 347, Error, "subnets-overlap", "two subnets with common addresses";
    UnknownSubnet = 348, Error, "unknown-subnet", "a subnet that the network does not have";
    SubnetWithoutRoom = 349, Error, "subnet-without-room", "a subnet with fewer addresses than machines";
    NetworkMeetsDocker = 350, Error, "network-meets-docker", "a network in the address range of Docker";
    NoWayOut = 351, Error, "no-way-out", "machines that need the internet and cannot reach it";
    NoPublicBalancer = 352, Error, "no-public-balancer", "a way out through a load balancer without a public address";
    ExistingWithoutName = 353, Error, "existing-without-name", "an existing thing without the name that finds it";
    QuotaRefused = 354, Error, "quota-refused", "a share without a capacity that Azure offers";
    NfsNeedsPremium = 355, Error, "nfs-needs-premium", "an NFS share on standard storage";
    NfsTakesNoAuth = 356, Error, "nfs-takes-no-auth", "a way to prove oneself on an NFS share";
    RootSquashOnSmb = 357, Error, "root-squash-on-smb", "an NFS setting on an SMB share";
    PremiumIsNotGeoRedundant = 358, Error, "premium-is-not-geo-redundant", "premium storage with copies in a second region";
    ShareVaultMismatch = 359, Error, "share-vault-mismatch", "a share and a vault that do not go together";
    MountIsNoPath = 360, Error, "mount-is-no-path", "a mount point that is no plain absolute path";
    MountOnTemporaryDisk = 361, Error, "mount-on-temporary-disk", "a mount point on the temporary disk";
    MountHidesFolder = 362, Error, "mount-hides-folder", "a mount point that hides a folder of the system";
    MountsOverlap = 363, Error, "mounts-overlap", "two shares mounted into each other";
    ModeRefused = 364, Error, "mode-refused", "permissions that are not octal or open files to everybody";
    LinkOutside = 365, Error, "link-outside", "a link that leaves the home folder or the share";
    MountByIdentityImpossible = 366, Error, "mount-by-identity-impossible", "a share mounted by identity where that does not work";
    PrivilegedRole = 367, Warning, "privileged-role", "a machine that may change nearly everything";
    RoleIsNoGuid = 368, Error, "role-is-no-guid", "a role that is no GUID";
    GraceBelowSetup = 369, Error, "grace-below-setup", "machines that are repaired before their setup is done";
    // 0370-0399 batch pools
    BatchAiEnded = 370, Error, "batch-ai-ended", "a service that has ended";
    WrongService = 371, Error, "wrong-service", "a setting that the chosen service does not have";
    BatchImage = 372, Error, "batch-image", "an image that Azure Batch does not run";
    BatchSize = 373, Error, "batch-size", "hardware that Azure Batch does not offer like this";
    InterNodeLimit = 374, Error, "inter-node-limit", "more connected machines than Azure allows";
    InterNodeSpot = 375, Warning, "inter-node-spot", "spot machines that talk to each other";
    BatchMount = 376, Error, "batch-mount", "a mount that batch machines cannot have";
    BatchScale = 377, Error, "batch-scale", "numbers of machines that contradict each other";
    BatchNetwork = 378, Error, "batch-network", "addresses and ports that Azure Batch refuses";
    AlwaysOn = 379, Info, "always-on", "machines that cost money without jobs";
    // 0380-0399 autoscale formulas of Azure Batch
    FormulaSyntax = 380, Error, "formula-syntax", "text that is no autoscale formula";
    FormulaLimit = 381, Error, "formula-limit", "a formula beyond the limits of Azure Batch";
    FormulaUnknownName = 382, Error, "formula-unknown-name", "a name that formulas do not know";
    FormulaReadOnly = 383, Error, "formula-read-only", "assignment to what the service sets";
    FormulaType = 384, Error, "formula-type", "an operation that formulas do not have";
    FormulaNoTarget = 385, Error, "formula-no-target", "a formula that sets no target";
    FormulaUnguardedSample = 386, Warning, "formula-unguarded-sample", "samples demanded that a new pool does not have";
    FormulaLoneSample = 387, Warning, "formula-lone-sample", "the last sample alone decides";
    FormulaRunningIgnored = 388, Error, "formula-running-ignored", "running tasks are not counted";
    FormulaUnbounded = 389, Warning, "formula-unbounded", "a target that can leave the pool's range";
    FormulaNoDeallocation = 390, Warning, "formula-no-deallocation", "running tasks are left to the default";
    FormulaRoundedDown = 391, Warning, "formula-rounded-down", "machines rounded down";
    FormulaCpuScale = 392, Warning, "formula-cpu-scale", "processor use compared as a percentage";
    BatchAccountMode = 393, Error, "batch-account-mode", "an account whose settings exclude each other";
    TaskUser = 394, Error, "task-user", "an account on machines that cannot be made";
    JobDoesNotFit = 395, Error, "job-does-not-fit", "a job that its pool cannot run";
    EphemeralSpot = 396, Error, "ephemeral-spot", "an ephemeral system disk on spot machines";
    TargetWord = 397, Error, "target-word", "a target that Azure Batch cannot compute";
    BatchName = 398, Error, "batch-name", "a name that Azure refuses";
    PoolInOtherRegion = 399, Error, "pool-in-other-region", "machines in another region than their network";
    // 04xx graph
    ResourceNamedTwice = 402, Error, "resource-named-twice", "two resources with the same type and name";
    AttributeUnavailable = 403, Error, "attribute-unavailable", "an attribute that this block does not have";
    UnknownOverride = 404, Error, "unknown-override", "an override of a resource that a pool does not have";
    TypeDisagrees = 406, Error, "type-disagrees", "a property or value that the resource type does not have";
    UnknownResourceType = 407, Warning, "unknown-resource-type", "a resource type that is not known";
    RetiredResourceType = 408, Error, "retired-resource-type", "a resource type whose service has ended";
    // 0420-0449 autoscale of interactive pools
    RangeWithoutAutoscale = 420, Error, "range-without-autoscale", "a range of machines that nothing moves within";
    AutoscaleWithoutRange = 421, Error, "autoscale-without-range", "autoscale of a fixed number of machines";
    TwoPolicies = 422, Error, "two-policies", "two autoscale policies for one pool";
    ZeroWithoutWake = 423, Error, "zero-without-wake", "a pool that can reach zero machines and never come back";
    WithoutMetricsRefused = 424, Error, "without-metrics-refused", "a number for times without metrics that makes the pool bounce";
    ThresholdsFlap = 425, Error, "thresholds-flap", "thresholds so close that the pool never shrinks";
    ThresholdsCross = 426, Error, "thresholds-cross", "a shrinking threshold above the growing one";
    RulesPointTheWrongWay = 427, Error, "rules-point-the-wrong-way", "a rule that grows on low load or shrinks on high load";
    NeverShrinks = 428, Warning, "never-shrinks", "rules that only add machines";
    NeverGrows = 429, Error, "never-grows", "rules that only remove machines";
    DifferentMetrics = 430, Warning, "different-metrics", "growing and shrinking by different metrics";
    IdleIsNotUnused = 431, Info, "idle-is-not-unused", "machines removed because their processors rest";
    WindowRefused = 432, Error, "window-refused", "a time window that autoscale does not take";
    MetricUnavailable = 433, Error, "metric-unavailable", "a metric that does not exist for this pool";
    ThresholdUnit = 434, Error, "threshold-unit", "a threshold in another unit than the metric's";
    RuleWithoutAction = 435, Error, "rule-without-action", "a rule without exactly one action";
    SetOutside = 436, Error, "set-outside", "a rule that sets a number outside of the pool's range";
    TooManyProfiles = 437, Error, "too-many-profiles", "more rules or profiles than an autoscale setting holds";
    SchedulesOverlap = 438, Error, "schedules-overlap", "two schedules at the same time";
    ScheduleRefused = 439, Error, "schedule-refused", "a schedule whose time is missing or impossible";
    ScheduleOutsidePool = 440, Error, "schedule-outside-pool", "a schedule with limits beyond those of the pool";
    UnknownTimezone = 441, Error, "unknown-timezone", "a time zone that autoscale does not know";
    ForecastWithoutCpuRule = 442, Error, "forecast-without-cpu-rule", "a forecast without a rule that it could help";
    CooldownBelowSetup = 443, Warning, "cooldown-below-setup", "a rule that acts again before its machines can work";
    // 05xx emission
    NameRefused = 501, Error, "name-refused", "a name that Azure refuses";
    TooManyParameters = 502, Error, "too-many-parameters", "more parameters than a template can have";
    TooManyOutputs = 503, Error, "too-many-outputs", "more outputs than a template can have";
    ResourceTooLarge = 504, Error, "resource-too-large", "a resource larger than a template can hold";
    ExpressionTooLong = 505, Error, "expression-too-long", "an expression longer than a template can hold";
    SetupTooLong = 506, Error, "setup-too-long", "a setup longer than a machine can be given";
    ParameterTaken = 507, Error, "parameter-taken", "a parameter with the name of one that dsvmc adds";
    TagsRefused = 508, Error, "tags-refused", "tags that Azure refuses";
    // 06xx lint
    // 07xx plan
    PlanRefused = 701, Error, "plan-refused", "a saved plan that no longer fits";
    ParameterMissing = 702, Error, "parameter-missing", "a parameter without a value";
    ParameterUnusable = 703, Error, "parameter-unusable", "a parameter value that cannot be used";
    TemplateUnusable = 704, Error, "template-unusable", "a template that cannot be expanded";
    EnvNeeded = 705, Error, "env-needed", "no env was chosen";
    ObservedUnusable = 706, Error, "observed-unusable", "a file of observed resources that cannot be used";
    ExcludedButNeeded = 707, Error, "excluded-but-needed", "something excluded that the rest needs";
    // 08xx apply and Azure
    EndpointUnreachable = 801, Error, "endpoint-unreachable", "Resource Manager cannot be reached";
    ResourceRefused = 802, Error, "resource-refused", "a resource that Azure refused";
    ApplyStopped = 803, Error, "apply-stopped", "an apply that stopped part-way";
    ServiceRefused = 804, Error, "service-refused", "a call that Azure refused";
    NoToken = 805, Error, "no-token", "no access token";
    ClientSetup = 806, Error, "client-setup", "a setting that cannot work";
    ProjectLocked = 807, Error, "project-locked", "another apply is at work";
    ConsentNeeded = 808, Error, "consent-needed", "an apply that nobody agreed to";
    Protected = 809, Error, "protected", "something protected would be deleted";
    StateUnusable = 810, Error, "state-unusable", "a folder `.dsvmc` that cannot be used";
    NotDeployed = 811, Error, "not-deployed", "something that is not deployed";
    // 09xx endpoint, command line, internal
    FileUnreadable = 901, Error, "file-unreadable", "a file or folder cannot be read";
    NoSources = 902, Error, "no-sources", "a folder without any `.dsvm` file";
    SeveralProjects = 903, Error, "several-projects", "one project is wanted, and there are several";
    OutputUnwritable = 904, Error, "output-unwritable", "a file cannot be written";
    FileIgnored = 905, Warning, "file-ignored", "a file beside `main.dsvm` that nothing imports";
    Internal = 999, Error, "internal", "a bug in dsvmc";
}
