//! Formulas that Azure and others published: each is read, passes the type check, and gives the documented result.
//!
//! Short quotations as test data, each with its source. Placeholders of templates are filled in.

use super::super::samples::PoolState;
use super::super::time::read_timestamp;
use super::super::{PoolLimits, check};
use super::{noon, run};

/// Where the formula was published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Publisher {
    /// In the documentation of Azure Batch.
    Documentation,
    /// Samples, tools and tests of Microsoft.
    Microsoft,
    /// In a blog, a repository or an answer.
    Other,
}
use Publisher::{Documentation, Microsoft, Other};

/// Name, publisher, source, text.
type Published = (&'static str, Publisher, &'static str, &'static str);

const PAGE: &str = "MicrosoftDocs/azure-docs articles/batch/batch-automatic-scaling.md";
const DATA: &str = "Azure/BatchExplorer-data data/autoscale-formula";
const SHIPYARD: &str = "Azure/batch-shipyard convoy/autoscale.py";
const PARALLEL: &str = "Azure/doAzureParallel R/autoscale.R";

#[rustfmt::skip]
const FORMULAS: &[Published] = &[
    ("pending tasks", Documentation, PAGE, "startingNumberOfVMs = 1;\nmaxNumberofVMs = 25;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));\n$TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);\n$NodeDeallocationOption = taskcompletion;"),
    ("pending tasks, 2017", Documentation, PAGE, "startingNumberOfVMs = 1;\nmaxNumberofVMs = 25;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));\n$TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);"),
    ("custom activity of Data Factory", Documentation, "MicrosoftDocs/azure-docs articles/data-factory/transform-data-using-dotnet-custom-activity.md", "startingNumberOfVMs = 1;\nmaxNumberofVMs = 25;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));\n$TargetDedicated=min(maxNumberofVMs,pendingTaskSamples);"),
    ("preempted nodes", Documentation, PAGE, "maxNumberofVMs = 25;\n$TargetDedicatedNodes = min(maxNumberofVMs, $PreemptedNodeCount.GetSample(180 * TimeInterval_Second));\n$TargetLowPriorityNodes = min(maxNumberofVMs , maxNumberofVMs - $TargetDedicatedNodes);\n$NodeDeallocationOption = taskcompletion;"),
    ("preempted nodes, without option", Documentation, PAGE, "maxNumberofVMs = 25;\n$TargetDedicatedNodes = min(maxNumberofVMs, $PreemptedNodeCount.GetSample(180 * TimeInterval_Second));\n$TargetLowPriorityNodes = min(maxNumberofVMs , maxNumberofVMs - $TargetDedicatedNodes);"),
    ("grow by CPU", Documentation, PAGE, "$totalDedicatedNodes =\n    (min($CPUPercent.GetSample(TimeInterval_Minute * 10)) > 0.7) ?\n    ($CurrentDedicatedNodes * 1.1) : $CurrentDedicatedNodes;\n$totalDedicatedNodes =\n    (avg($CPUPercent.GetSample(TimeInterval_Minute * 60)) < 0.2) ?\n    ($CurrentDedicatedNodes * 0.9) : $totalDedicatedNodes;\n$TargetDedicatedNodes = min(400, $totalDedicatedNodes)"),
    ("Mondays", Documentation, PAGE, "$TargetDedicatedNodes = (time().weekday == 1 ? 5:1);"),
    ("working hours", Documentation, PAGE, "$curTime = time();\n$workHours = $curTime.hour >= 8 && $curTime.hour < 18;\n$isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5;\n$isWorkingWeekdayHour = $workHours && $isWeekday;\n$TargetDedicatedNodes = $isWorkingWeekdayHour ? 20:10;\n$NodeDeallocationOption = taskcompletion;"),
    ("working hours, evaluated", Documentation, PAGE, "$curTime = time();\n$workHours = $curTime.hour >= 8 && $curTime.hour < 18;\n$isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5;\n$isWorkingWeekdayHour = $workHours && $isWeekday;\n$TargetDedicatedNodes = $isWorkingWeekdayHour ? 20:10;"),
    ("working hours, Python", Documentation, PAGE, "$curTime = time();\n             $workHours = $curTime.hour >= 8 && $curTime.hour < 18; \n             $isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5; \n             $isWorkingWeekdayHour = $workHours && $isWeekday; \n             $TargetDedicated = $isWorkingWeekdayHour ? 20:10;"),
    ("working hours, 2015", Documentation, PAGE, "$CurTime=time();\n$WorkHours=$CurTime.hour>=8 && $CurTime.hour<18;\n$IsWeekday=$CurTime.weekday>=1 && $CurTime.weekday<=5;\n$IsWorkingWeekdayHour=$WorkHours && $IsWeekday;\n$TargetDedicated=$IsWorkingWeekdayHour?20:10;"),
    ("Mountain Daylight Time", Documentation, PAGE, "$curTime = time() + (-6 * TimeInterval_Hour);\n$TargetDedicatedNodes = $curTime.hour;"),
    ("task-based", Documentation, PAGE, "// Get pending tasks for the past 15 minutes.\n$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 15);\n// If we have fewer than 70 percent data points, we use the last sample point,\n// otherwise we use the maximum of last sample point and the history average.\n$tasks = $samples < 70 ? max(0,$PendingTasks.GetSample(1)) : max( $PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 15)));\n$targetVMs = $tasks > 0? $tasks:max(0, $TargetDedicatedNodes/2);\n$TargetDedicatedNodes = max(0, min($targetVMs, 20));\n$NodeDeallocationOption = taskcompletion;"),
    ("task-based, 2019", Documentation, PAGE, "$samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 15);\n$tasks = $samples < 70 ? max(0,$ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));\n$targetVMs = $tasks > 0? $tasks:max(0, $TargetDedicatedNodes/2);\n$TargetDedicatedNodes = max(0, min($targetVMs, 20));\n$NodeDeallocationOption = taskcompletion;"),
    ("parallel tasks", Documentation, PAGE, "$samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 15);\n$tasks = $samples < 70 ? max(0,$ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1),avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));\n$cores = $TargetDedicatedNodes * 4;\n$extraVMs = (($tasks - $cores) + 3) / 4;\n$targetVMs = ($TargetDedicatedNodes + $extraVMs);\n$TargetDedicatedNodes = max(0,min($targetVMs,3));\n$NodeDeallocationOption = taskcompletion;"),
    ("parallel tasks, 2015", Documentation, PAGE, "$Samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 15); $Tasks = $Samples < 70 ? max(0,$ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1),avg($ActiveTasks.GetSample(TimeInterval_Minute * 15))); $Cores = $TargetDedicated * 4; $ExtraVMs = ($Tasks - $Cores) / 4; $TargetVMs = ($TargetDedicated+$ExtraVMs);$TargetDedicated = max(0,min($TargetVMs,3)); $NodeDeallocationOption = taskcompletion;"),
    ("initial size", Documentation, PAGE, "\n    $TargetDedicatedNodes = 4;\n    lifespan         = time() - time(\"Mon, 23 Nov 2026 10:00:00 GMT\");\n    span             = TimeInterval_Minute * 60;\n    startup          = TimeInterval_Minute * 10;\n    ratio            = 50;\n\n    $TargetDedicatedNodes = (lifespan > startup ? (max($RunningTasks.GetSample(span, ratio), $ActiveTasks.GetSample(span, ratio)) == 0 ? 0 : $TargetDedicatedNodes) : 4);\n    "),
    ("two lines of 2016", Documentation, PAGE, "$averageActiveTaskCount = avg($ActiveTasks.GetSample(TimeInterval_Minute * 15));\n$TargetDedicated = min(10, $averageActiveTaskCount);"),
    ("size to begin with", Documentation, PAGE, "$TargetDedicatedNodes = 0"),
    ("leaves the size", Documentation, PAGE, "$TargetDedicatedNodes = $CurrentDedicatedNodes;"),
    ("rendering tutorial", Documentation, "MicrosoftDocs/azure-docs articles/batch/tutorial-rendering-cli.md", "$averageActiveTaskCount = avg($ActiveTasks.GetSample(TimeInterval_Minute * 5));$TargetDedicatedNodes = min(8, $averageActiveTaskCount + 1);"),
    ("Test-AzBatchAutoScale", Documentation, "MicrosoftDocs/azure-docs-powershell Test-AzBatchAutoScale, Enable-AzBatchAutoScale", "totalNodes=($CPUPercent.GetSamplePercent(TimeInterval_Minute*0,TimeInterval_Minute*10)<0.7?5:(min($CPUPercent.GetSample(TimeInterval_Minute*0, TimeInterval_Minute*10))>0.8?($CurrentDedicated*1.1):$CurrentDedicated));$TargetDedicated=min(100,totalNodes);"),
    ("New-AzBatchPool", Documentation, "MicrosoftDocs/azure-docs-powershell New-AzBatchPool", "$TargetDedicated=2;"),
    ("cmdlets get started", Documentation, "MicrosoftDocs/azure-docs articles/batch/batch-powershell-cmdlets-get-started.md", "$TargetDedicated=4;"),
    ("az batch pool autoscale, test", Microsoft, "Azure/azure-cli batch command tests", "$TargetDedicatedNodes=3"),
    ("az batch pool autoscale, test of spot", Microsoft, "Azure/azure-cli batch command tests", "$TargetLowPriorityNodes=3"),
    ("management SDK, recorded", Microsoft, "Azure SDK for Python, test_mgmt_batch", "$TargetDedicatedNodes=0"),
    ("REST examples", Microsoft, "Azure/azure-rest-api-specs Microsoft.Batch PoolCreate examples", "$TargetDedicatedNodes=1"),
    ("SDK for Python, sample", Microsoft, "Azure SDK for Python, batch samples", "$TargetDedicatedNodes=2"),
    ("samples: time", Microsoft, DATA, "$curTime = time();\n// Check current time is within working hours (8 AM to 6 PM) or not\n$workHours = $curTime.hour >= 8 && $curTime.hour < 18;\n$isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5;\n$isWorkingWeekdayHour = $workHours && $isWeekday;\n$TargetDedicatedNodes = $isWorkingWeekdayHour ? 20:10;"),
    ("samples: tasks", Microsoft, DATA, "$samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 15);\n$tasks = $samples < 70 ? max(0, $ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));\n$targetVMs = $tasks > 0 ? $tasks : max(0, $TargetDedicatedNodes / 2);\ncappedPoolSize = 20;\n$TargetDedicatedNodes = max(0, min($targetVMs, cappedPoolSize));\n$NodeDeallocationOption = taskcompletion;"),
    ("samples: parallel tasks", Microsoft, DATA, "percentage = 70;\nspan = TimeInterval_Minute * 15;\n$samples = $ActiveTasks.GetSamplePercent(span);\n$tasks = $samples < percentage ? max(0,$ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(span)));\nmultiplier = 0.25;\n$cores = $TargetDedicatedNodes * 4;\n$extraVMs = (($tasks - $cores) + 3) * multiplier;\n$targetVMs = ($TargetDedicatedNodes + $extraVMs);\n$TargetDedicatedNodes = max(0, min($targetVMs, 3));\n$NodeDeallocationOption = taskcompletion;"),
    ("samples: initial size", Microsoft, DATA, "initialPoolSize = 4;\n$TargetDedicatedNodes = initialPoolSize;\nlifespan = time() - time(\"Mon, 06 Oct 2014 10:20:00 GMT\");\nspan = TimeInterval_Minute * 60;\nstartup = TimeInterval_Minute * 10;\nratio = 50;\n$TargetDedicatedNodes = (lifespan > startup ? (max($RunningTasks.GetSample(span, ratio), $ActiveTasks.GetSample(span, ratio)) == 0 ? 0 : $TargetDedicatedNodes) : initialPoolSize );"),
    ("C# sample AutoScalePool", Microsoft, "Azure-Samples batch AutoScalePool", "active = val($ActiveTasks.GetSample(1), 0);\npending = val($PendingTasks.GetSample(1), 0);\nrunning = val($RunningTasks.GetSample(1), 0);\n$samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 5);\n$tasks = $samples < 70 ? max(0, $ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 5)));\n$targetVMs = $tasks > 0 ? $tasks : max(0, $TargetDedicatedNodes / 2);\ncappedPoolSize = 20;\n$TargetDedicatedNodes = max(0, min($targetVMs, cappedPoolSize));\n$NodeDeallocationOption = taskcompletion;"),
    ("shipyard: pending, dedicated first", Microsoft, SHIPYARD, "maxTasksPerNode = 4;\nminTargetDedicated = 1;\nminTargetLowPriority = 0;\nmaxTargetDedicated = 8;\nmaxTargetLowPriority = 8;\nmaxIncDedicated = 2;\nmaxIncLowPriority = 2;\nsli = TimeInterval_Second * 600.0;\nsamplepercent = $PendingTasks.GetSamplePercent(sli);\nlastsample = val($PendingTasks.GetSample(1), 0);\nsamplevecavg = samplepercent < 70 ? max(0, lastsample) : avg($PendingTasks.GetSample(sli));\nPendingTaskAvg = samplepercent < 70 ? max(0, lastsample) : (lastsample < samplevecavg ? avg(lastsample, samplevecavg) : max(lastsample, samplevecavg));\nreqVMs = PendingTaskAvg / maxTasksPerNode;\npreemptcount = 0;\nrebalance = 0 == 1;\nmaxDedicatedVMs = min($CurrentDedicatedNodes + maxIncDedicated, maxTargetDedicated);\nmaxLowPriVMs = min($CurrentLowPriorityNodes + maxIncLowPriority, maxTargetLowPriority);\nreqVMs = max(0, reqVMs - minTargetDedicated - minTargetLowPriority);\ndedicatedVMs = max(minTargetDedicated, min(reqVMs, maxDedicatedVMs));\nremainingVMs = max(0, reqVMs - dedicatedVMs);\nredistVMs = (rebalance && remainingVMs > 0) ? min(preemptcount, remainingVMs) : 0;\ndedicatedVMs = min(dedicatedVMs + redistVMs, maxDedicatedVMs);\nremainingVMs = max(0, reqVMs - dedicatedVMs);\nlowPriVMs = max(minTargetLowPriority, min(remainingVMs, maxLowPriVMs));\n$TargetDedicatedNodes = dedicatedVMs;\n$TargetLowPriorityNodes = lowPriVMs;\n$NodeDeallocationOption = taskcompletion;"),
    ("shipyard: active, rebalanced", Microsoft, SHIPYARD, "maxTasksPerNode = 1;\nminTargetDedicated = 0;\nminTargetLowPriority = 0;\nmaxTargetDedicated = 4;\nmaxTargetLowPriority = 4;\nmaxIncDedicated = 4;\nmaxIncLowPriority = 4;\nsli = TimeInterval_Second * 600.0;\nActiveTaskAvg = avg($ActiveTasks.GetSample(sli, 70));\nreqVMs = ActiveTaskAvg / maxTasksPerNode;\nreqVMs = (ActiveTaskAvg > 0 && reqVMs < 1) ? 1 : reqVMs;\npreemptcount = avg($PreemptedNodeCount.GetSample(sli, 70));\ncurrenttotal = $CurrentDedicatedNodes + $CurrentLowPriorityNodes;\npreemptedpercent = currenttotal > 0 ? preemptcount / currenttotal : 0;\nrebalance = preemptedpercent >= 0.3;\nmaxDedicatedVMs = min($CurrentDedicatedNodes + maxIncDedicated, maxTargetDedicated);\nmaxLowPriVMs = min($CurrentLowPriorityNodes + maxIncLowPriority, maxTargetLowPriority);\nreqVMs = max(0, reqVMs - minTargetDedicated - minTargetLowPriority);\ndivisor = (maxTargetDedicated == 0 || maxTargetLowPriority == 0) ? 1 : 2;\ndedicatedVMs = reqVMs / divisor;\ndedicatedVMs = (dedicatedVMs > 0 && dedicatedVMs < 1) ? 1 : dedicatedVMs;\ndedicatedVMs = max(minTargetDedicated, min(dedicatedVMs, maxDedicatedVMs));\nremainingVMs = max(0, reqVMs - dedicatedVMs);\nredistVMs = (rebalance && remainingVMs > 0) ? min(preemptcount, remainingVMs) : 0;\ndedicatedVMs = min(dedicatedVMs + redistVMs, maxDedicatedVMs);\nremainingVMs = max(0, reqVMs - dedicatedVMs);\nlowPriVMs = max(minTargetLowPriority, min(remainingVMs, maxLowPriVMs));\n$TargetDedicatedNodes = dedicatedVMs;\n$TargetLowPriorityNodes = lowPriVMs;\n$NodeDeallocationOption = taskcompletion;"),
    ("shipyard: workday", Microsoft, SHIPYARD, "minTargetDedicated = 1;\nmaxTargetDedicated = 8;\nminTargetLowPriority = 0;\nmaxTargetLowPriority = 8;\nweekdayStart = 1;\nweekdayEnd = 5;\nworkhourStart = 8;\nworkhourEnd = 17;\nnow = time();\nisWorkHours = now.hour >= workhourStart && now.hour <= workhourEnd;\nisWeekday = now.weekday >= weekdayStart && now.weekday <= weekdayEnd;\nisPeakTime = isWeekday && isWorkHours;\n$TargetDedicatedNodes = isPeakTime ? maxTargetDedicated : minTargetDedicated;\n$TargetLowPriorityNodes = isPeakTime ? maxTargetLowPriority : minTargetLowPriority;\n$NodeDeallocationOption = taskcompletion;"),
    ("shipyard: weekend", Microsoft, SHIPYARD, "minTargetDedicated = 1;\nmaxTargetDedicated = 8;\nweekdayStart = 1;\nweekdayEnd = 5;\nnow = time();\nisPeakTime = now.weekday < weekdayStart && now.weekday > weekdayEnd;\n$TargetDedicatedNodes = isPeakTime ? maxTargetDedicated : minTargetDedicated;\n$TargetLowPriorityNodes = 0;\n$NodeDeallocationOption = requeue;"),
    ("doAzureParallel: queue", Microsoft, PARALLEL, "$samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 15);$tasks = $samples < 70 ? max(0,$ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));$maxTasksPerNode = 4;$round = $maxTasksPerNode - 1;$targetVMs = $tasks > 0? (($tasks + $round)/ $maxTasksPerNode) : max(0, $TargetDedicated/2) + 0.5;$TargetDedicatedNodes = max(2, min($targetVMs, 2));$TargetLowPriorityNodes = max(5, min($targetVMs, 5));$NodeDeallocationOption = taskcompletion;"),
    ("doAzureParallel: workday", Microsoft, PARALLEL, "$curTime = time();$workHours = $curTime.hour >= 8 && $curTime.hour < 18;$isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5;$isWorkingWeekdayHour = $workHours && $isWeekday;$TargetDedicatedNodes = $isWorkingWeekdayHour ? 2:6;"),
    ("doAzureParallel: CPU", Microsoft, PARALLEL, "$totalNodes =\n  (min($CPUPercent.GetSample(TimeInterval_Minute * 10)) > 0.7) ?\n  ($CurrentDedicated * 1.1) : $CurrentDedicated; $totalNodes =\n  (avg($CPUPercent.GetSample(TimeInterval_Minute * 60)) < 0.2) ?\n  ($CurrentDedicated * 0.9) : $totalNodes;\n  $TargetDedicatedNodes = min(4, $totalNodes)"),
    ("percentage question", Other, "Azure/Batch issue 120", "startingNumberOfVMs = 1;\nmaxNumberofVMs = 25;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 30 ? startingNumberOfVMs : max(startingNumberOfVMs, avg($PendingTasks.GetSample(180 * TimeInterval_Second)));\n$TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);"),
    ("spot first", Other, "a deployment script with scale to zero", "startingNumberOfVMs = 0;\nmaxNumberofVMs = 1;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 70\n  ? startingNumberOfVMs\n  : avg($PendingTasks.GetSample(180 * TimeInterval_Second));\n$TargetLowPriorityNodes = min(maxNumberofVMs, pendingTaskSamples);\n$NodeDeallocationOption = taskcompletion;"),
    ("until a deadline", Other, "a research pipeline", "$TargetDedicatedNodes = 0;\n$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);\n$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : max(0, max($PendingTasks.GetSample(TimeInterval_Minute * 5)));\n$TargetLowPriorityNodes = time() < time(\"2026-12-01T00:00:00Z\") ? min(1, $tasks) : 0;\n$NodeDeallocationOption = terminate;"),
    ("lifespan", Other, "a Terraform module for Nextflow", "// Get pool lifetime since creation.\nlifespan = time() - time(\"2024-10-30T00:00:00.880011Z\");\ninterval = TimeInterval_Minute * 5;\n$samples = $PendingTasks.GetSamplePercent(interval);\n$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(interval)));\n$targetVMs = $tasks > 0 ? $tasks : max(0, $TargetDedicatedNodes/2);\ntargetPoolSize = max(0, min($targetVMs, 8));\n$TargetDedicatedNodes = lifespan < interval ? 1 : targetPoolSize;\n$NodeDeallocationOption = taskcompletion;"),
    ("slots of a machine", Other, "a public az script", "percentage = 70;\n span = TimeInterval_Second * 15;\n $samples = $ActiveTasks.GetSamplePercent(span);\n $tasks = $samples < percentage ? max(0,$ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(span)));\n multiplier = 1;\n $cores = $TargetDedicatedNodes*$TaskSlotsPerNode;\n $extraVMs = (($tasks - $cores) + 0) * multiplier / $TaskSlotsPerNode;\n $targetVMs = ($TargetDedicatedNodes + $extraVMs);\n $TargetDedicatedNodes = max(0, min($targetVMs, 50));\n $NodeDeallocationOption = taskcompletion;"),
    ("rounded up with ceil", Other, "a public az script", "maxNumberofVMs = 25;\n $atasks = $ActiveTasks.GetSample(TimeInterval_Minute * 2, 1);\n $rtasks = $RunningTasks.GetSample(TimeInterval_Minute * 2, 1);\n $tasks = max($atasks) + max($rtasks);\n $nodes = max($CurrentDedicatedNodes, $TargetDedicatedNodes);\n $cores = $nodes * $TaskSlotsPerNode;\n $extraVMs = ceil((($tasks - $cores) + 0) / $TaskSlotsPerNode);\n $targetVMs = ($nodes + $extraVMs);\n $TargetDedicatedNodes = max(0, min($targetVMs, maxNumberofVMs));\n $NodeDeallocationOption = taskcompletion;"),
    ("two averages", Other, "a public ARM template", "samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 5);\r\ncappedPoolSize = 1;\r\nAvgActiveTask = samples< 70 ? max(0,$ActiveTasks.GetSample(1)) : avg($ActiveTasks.GetSample(1 * TimeInterval_Minute, 2 * TimeInterval_Minute));\r\nAvgRunningTask = samples< 70 ? max(0,$RunningTasks.GetSample(1)) : avg($RunningTasks.GetSample(1 * TimeInterval_Minute, 10 * TimeInterval_Minute));\r\n$TargetDedicatedNodes = 0;\r\nActiveTask = AvgActiveTask > 0 ? 1 : 0;\r\nRunningTask = AvgRunningTask > 0 ? 1 : 0;\r\n$TargetLowPriorityNodes = min(cappedPoolSize,max(ActiveTask,RunningTask));\r\n// Set node deallocation mode - keep nodes active only until tasks finish\r\n$NodeDeallocationOption = taskcompletion;"),
    ("sum of two metrics", Other, "a public C# service", "$MaxNodes = 9;\n$CurrentActiveTasks = $ActiveTasks.GetSample(1);\n$CurrentRunningTasks = $RunningTasks.GetSample(1);\n$TotalTasks=$CurrentActiveTasks+$CurrentRunningTasks;\n$Nodes = min($TotalTasks, $MaxNodes);\n$TargetDedicated = $Nodes;"),
    ("demand", Other, "a public deployment guide", "\n    initialNodes=0;\n    maxNodes=1;\n    demand = avg($ActiveTasks.GetSample(TimeInterval_Minute * 1));\n    $TargetDedicatedNodes = min(max(demand, initialNodes), maxNodes);"),
    ("one line", Other, "a public Python tool", "pendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second); pendingTaskSamples = pendingTaskSamplePercent < 70 ? 1 : avg($PendingTasks.GetSample(180 * TimeInterval_Second)); $TargetDedicatedNodes = min(100, pendingTaskSamples);"),
    ("sum of two frames", Other, "a public guide", "$TargetDedicatedNodes=min(10,($PendingTasks.GetSample(1 * TimeInterval_Minute) + $ActiveTasks.GetSample(1 * TimeInterval_Minute)) / 1);"),
    ("smallest clamp", Other, "a public Terraform module", "$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);\n$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 5)));\n$TargetDedicatedNodes = max(0, min($tasks, 4));\n$NodeDeallocationOption = taskcompletion;"),
    ("GA4GH TES: dedicated", Microsoft, "microsoft/ga4gh-tes AutoPoolFormula", "$NodeDeallocationOption = taskcompletion;\nlifespan = time() - time(\"Mon, 23 Nov 2026 10:00:00 GMT\");\nspan = TimeInterval_Second * 90;\nstartup = TimeInterval_Minute * 2;\nratio = 10;\n$TargetDedicated = (lifespan > startup ? min($PendingTasks.GetSample(span, ratio)) : 1);"),
    ("GA4GH TES: spot", Microsoft, "microsoft/ga4gh-tes AutoPoolFormula", "$NodeDeallocationOption = taskcompletion;\nlifespan = time() - time(\"Mon, 23 Nov 2026 10:00:00 GMT\");\nspan = TimeInterval_Second * 90;\nstartup = TimeInterval_Minute * 2;\nratio = 10;\n$TargetLowPriorityNodes = (lifespan > startup ? min($PendingTasks.GetSample(span, ratio)) : 3);"),
    ("shared by two", Other, "JupiterOne/graph-azure, Terraform", "startingNumberOfVMs = 1;\nmaxNumberofVMs = 2;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 *   TimeInterval_Second));\n$TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);"),
    ("between two bounds", Other, "a workflow tool's Terraform module", "startingNumberOfVMs = 0;\nminNumberofVMs = 0;\nmaxNumberofVMs = 25;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 *   TimeInterval_Second));\n$TargetDedicatedNodes=max(minNumberofVMs,min(maxNumberofVMs, pendingTaskSamples));"),
    ("spot only, a minute", Other, "a public guide", "startingNumberOfVMs = 0;\nmaxNumberofVMs = 50;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(60 * TimeInterval_Second);\npendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(60 * TimeInterval_Second));\n$TargetLowPriorityNodes=min(maxNumberofVMs, pendingTaskSamples);\n//$TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);  \n"),
    ("spot only, a course", Other, "a public course", "$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);\n$tasks = $samples < 70 ? 0 : avg($PendingTasks.GetSample(TimeInterval_Minute * 5));\n$TargetLowPriorityNodes = min(4, $tasks);\n$TargetDedicatedNodes = 0;\n$NodeDeallocationOption = taskcompletion;"),
    ("half and half", Other, "a public pipeline", "maxNumberofVMs = 25;\n$Samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);\n$Tasks = $Samples < 70 ? max(0,$PendingTasks.GetSample(1)) : max( $PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 5)));\n$TargetVMs = $Tasks > 0? $Tasks:max(0, $TargetDedicated/2);\n$TargetDedicated = 0.5*max(0,min($TargetVMs,maxNumberofVMs));\n$TargetLowPriorityNodes = 0.5*max(0,min($TargetVMs,maxNumberofVMs));\n$NodeDeallocationOption = taskcompletion;"),
    ("down after half an hour", Other, "a public set-up script", "$TargetLowPriorityNodes = min(70, max(0, $PendingTasks.GetSample(TimeInterval_Minute*30, 0)))"),
    ("capped at 100", Other, "a public pipeline in Python", "// Get pending tasks for the past 5 minutes.\n$samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 5);\n$tasks = $samples < 70 ? max(0, $ActiveTasks.GetSample(1)) :\nmax( $ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 5)));\n$targetVMs = $tasks > 0 ? $tasks : max(0, $TargetDedicatedNodes / 2);\ncappedPoolSize = 100;\n$TargetDedicatedNodes = max(0, min($targetVMs, cappedPoolSize));\n$NodeDeallocationOption = taskcompletion;"),
    ("keeps spot machines", Other, "a public Node service", "$TargetLowPriorityNodes = 4;"),
];

/// Published all the same, and refused by us: text, and the title of the finding.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    // The page itself: a fragment without a target.
    ("$runningTasksSample = $RunningTasks.GetSample(1 * TimeInterval_Minute, 6 * TimeInterval_Minute);", "the formula sets no target"),
    ("$runningTasksSample = $RunningTasks.GetSample(60 * TimeInterval_Second, 120 * TimeInterval_Second, 75);", "the formula sets no target"),
    // A test of the .NET SDK, which wants an error.
    ("$RunningTasks.GetSample(10 * TimeInterval_Second, 0 * TimeInterval_Second, 100);", "a value that nothing uses"),
    // BatchExplorer-data keeps this one with the quotes escaped as for C#.
    ("lifespan = time() - time(\\\"Mon, 06 Oct 2014 10:20:00 GMT\\\");", "a formula cannot contain `\\`"),
    // doAzureParallel's weekend: reads a variable that no statement sets.
    ("$isWeekend = $curTime.weekday >= 6 && $curTime.weekday <= 7;$TargetDedicatedNodes = $isWeekend ? 2:6;", "there is no variable `$curTime`"),
    // A blog.
    ("$TargetDedicatedNodes = max(0, $PendingTasks);", "`$PendingTasks` is a metric, not a number"),
    ("$TargetLowPriorityNodes = min(20, $PendingTasks.GetSample(1 * TimeInterval_Minute, 0).GetAverage() * 2);", "there is no method `GetAverage`"),
    ("$pendingTasks = $PendingTasks.GetSample(1);\n    $TargetDedicatedNodes = ($pendingTasks > 0) ? 1 : 0;", "`>` between a doubleVec and a double"),
    ("$targetNodes = 3;$targetDedicatedNodes = $targetNodes;$nodeDeallocationOption = taskcompletion;", "`$targetDedicatedNodes` is not a variable of the service, so assigning it has no effect"),
    // Others' scripts and guides: a vector as a target or in a comparison, a function that does not exist, a lost semicolon.
    ("$TargetDedicatedNodes = $PendingTasks.GetSample(10 * TimeInterval_Minute, 0);", "`$TargetDedicatedNodes` is set to a doubleVec, not to one number"),
    ("startingNodeCount = 1;\n$TargetDedicatedNodes = $PendingTasks.GetSample(60 * TimeInterval_Second) == 0 ? startingNodeCount : 5;", "`==` between a doubleVec and a double"),
    ("$taskSlotsPerNode = 4;\n$totalNeeded = ceil($PendingTasks / $taskSlotsPerNode);\n$TargetDedicatedNodes = min(10, max(2, $totalNeeded));", "`$PendingTasks` is a metric, not a number"),
    ("lifespan = (now() - $PoolLifetimeInSeconds);\n$TargetDedicatedNodes = 0;", "there is no function `now`"),
    ("maxNumberofVMs = 4;\n$TargetDedicatedNodes=min(maxNumberofVMs, 3)\n$NodeDeallocationOption = taskcompletion;", "the `;` after this statement is missing"),
    // microsoft/accessibility-insights-service evaluates a formula for its variables only.
    ("$pending = avg($PendingTasks.GetSample(TimeInterval_Minute, 15 * TimeInterval_Minute));\n$ratio = avg($RunningTasks.GetSample(TimeInterval_Minute, 15 * TimeInterval_Minute)) / ($pending > 0 ? $pending : 1);", "the formula sets no target"),
];

/// A pool that has worked for an hour: four tasks run, two wait.
fn busy() -> PoolState {
    let pool = PoolState { target: (4.0, 0.0), current: (4.0, 1.0), task_slots: 4.0, ..PoolState::empty(noon()) };
    [
        ("$ActiveTasks", 2.0),
        ("$RunningTasks", 4.0),
        ("$PendingTasks", 6.0),
        ("$CPUPercent", 0.9),
        ("$PreemptedNodeCount", 1.0),
    ]
    .into_iter()
    .fold(pool, |pool, (metric, value)| pool.with(metric, &[value; 130]))
}

fn published(name: &str) -> &'static str {
    FORMULAS.iter().find(|f| f.0 == name).unwrap().3
}

#[test]
fn every_published_formula_is_read_typed_and_evaluated() {
    use std::fmt::Write as _;
    let mut report = String::new();
    for (name, publisher, source, text) in FORMULAS {
        let (formula, findings) = check(text, &PoolLimits::default());
        assert!(formula.is_some(), "{name} ({source}): {findings:?}");
        let refused = [
            "formula-syntax",
            "formula-limit",
            "formula-unknown-name",
            "formula-read-only",
            "formula-type",
            "formula-no-target",
        ];
        assert!(!findings.iter().any(|f| refused.contains(&f.rule.slug())), "{name} ({source}): {findings:?}");
        let results = run(text, &busy());
        let [dedicated, spot, option] =
            [0, 1, 2].map(|i| results.split([';', '=']).nth(2 * i + 1).unwrap_or("?").to_owned());
        let mut rules: Vec<_> = findings.iter().map(|f| f.rule.slug().trim_start_matches("formula-")).collect();
        rules.dedup();
        writeln!(report, "{publisher:?}: {name}: {dedicated} dedicated, {spot} spot, {option}; {}", rules.join(" "))
            .unwrap();
    }
    insta::assert_snapshot!(report);
}

#[test]
fn published_mistakes_are_found() {
    for (text, title) in REFUSED {
        let (_, findings) = check(text, &PoolLimits::default());
        let errors: Vec<_> = findings.iter().filter(|f| f.rule.is_error()).map(|f| f.title.as_str()).collect();
        assert_eq!(errors.first().copied().unwrap_or(""), *title, "{text}");
    }
}

#[test]
fn counts_are_those_of_the_document() {
    let count = |who| FORMULAS.iter().filter(|f| f.1 == who).count();
    let page = include_str!("../../../../docs/batch-formulas.md");
    for (who, label) in [
        (Documentation, "Azure documentation"),
        (Microsoft, "Microsoft samples, tools, tests"),
        (Other, "other public projects"),
    ] {
        assert!(page.contains(&format!("| {label} | {} |", count(who))), "{label}: {}", count(who));
    }
    assert!(page.contains(&format!("| published with a mistake, found | {} |", REFUSED.len())));
}

#[test]
fn documented_results_come_out() {
    // "Evaluate an autoscale formula": the page's two outputs, with today's second target.
    let at = |time: &str| PoolState::empty(read_timestamp(time).unwrap());
    assert_eq!(
        run(published("working hours, evaluated"), &at("2016-10-13T19:18:47.805Z")),
        "$TargetDedicatedNodes=10;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;$curTime=2016-10-13T19:18:47.805Z;$isWeekday=1;$isWorkingWeekdayHour=0;$workHours=0"
    );
    assert_eq!(
        run(published("working hours, evaluated"), &at("2016-10-14T18:36:43.282Z")),
        "$TargetDedicatedNodes=10;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;$curTime=2016-10-14T18:36:43.282Z;$isWeekday=1;$isWorkingWeekdayHour=0;$workHours=0"
    );
    // "5 on Mondays, and 1 on every other day of the week".
    assert!(run(published("Mondays"), &at("2026-11-23T00:00:00Z")).starts_with("$TargetDedicatedNodes=5;"));
    assert!(run(published("Mondays"), &at("2026-11-24T00:00:00Z")).starts_with("$TargetDedicatedNodes=1;"));
    // Test-AzBatchAutoScale: a pool without samples.
    assert!(run(published("Test-AzBatchAutoScale"), &at("2026-11-23")).starts_with("$TargetDedicatedNodes=5;"));
    assert!(run(published("Test-AzBatchAutoScale"), &at("2026-11-23")).ends_with(";totalNodes=5"));
    // The recording of the management SDK.
    assert_eq!(
        run(published("management SDK, recorded"), &at("2020-05-29T17:23:03.2302103Z")),
        "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue"
    );
    // The SDK for Node's test of the evaluate call; and what a pool of another project showed after a run.
    assert_eq!(
        run(published("az batch pool autoscale, test"), &at("2026-11-23")),
        "$TargetDedicatedNodes=3;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue"
    );
    let without_work = at("2020-09-26T03:30:46.770Z").with("$PendingTasks", &[0.0; 10]);
    assert_eq!(
        run(published("shared by two"), &without_work),
        "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;maxNumberofVMs=2;pendingTaskSamplePercent=100;pendingTaskSamples=0;startingNumberOfVMs=1"
    );
    // "Number of compute nodes to allocate the first time this formula is evaluated", then the pending tasks.
    assert!(run(published("GA4GH TES: spot"), &at("2026-11-23T10:01:00Z")).contains("$TargetLowPriorityNodes=3;"));
    assert!(run(published("GA4GH TES: spot"), &busy()).contains("$TargetLowPriorityNodes=6;"));
    // doAzureParallel issue 215: an idle pool of one machine.
    let idle = PoolState { target: (1.0, 0.0), ..at("2018-01-31T20:08:17.7098248Z") }.with("$ActiveTasks", &[0.0; 40]);
    assert_eq!(
        run(published("doAzureParallel: queue"), &idle),
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=5;$NodeDeallocationOption=taskcompletion;$maxTasksPerNode=4;$round=3;$samples=100;$targetVMs=1;$tasks=0"
    );
    // "The pool is initially created with a single VM", "never exceeds 25".
    assert!(run(published("pending tasks"), &at("2026-11-23")).starts_with("$TargetDedicatedNodes=1;"));
    let flooded = at("2026-11-23").with("$PendingTasks", &[900.0; 6]);
    assert!(run(published("pending tasks"), &flooded).starts_with("$TargetDedicatedNodes=25;"));
    // "A pool that starts with 25 low-priority nodes"; each preempted one "is replaced with a dedicated node".
    assert!(
        run(published("preempted nodes"), &busy()).starts_with("$TargetDedicatedNodes=1;$TargetLowPriorityNodes=24;")
    );
    // Growth by a tenth, never above 400; a tenth less when idle for an hour.
    let cpu = |value: f64, machines: f64| {
        PoolState { current: (machines, 0.0), ..at("2026-11-23") }.with("$CPUPercent", &[value; 130])
    };
    assert!(run(published("grow by CPU"), &cpu(0.8, 20.0)).starts_with("$TargetDedicatedNodes=22;"));
    assert!(run(published("grow by CPU"), &cpu(0.8, 390.0)).starts_with("$TargetDedicatedNodes=400;"));
    assert!(run(published("grow by CPU"), &cpu(0.1, 20.0)).starts_with("$TargetDedicatedNodes=18;"));
    // "four nodes … does not adjust within the first 10 minutes … If both values are 0 … the pool size is set to 0".
    let quiet = at("2026-11-23T12:00:00Z").with("$RunningTasks", &[0.0; 130]).with("$ActiveTasks", &[0.0; 130]);
    assert!(run(published("initial size"), &quiet).starts_with("$TargetDedicatedNodes=0;"));
    assert!(run(published("initial size"), &busy()).starts_with("$TargetDedicatedNodes=4;"));
    assert!(run(published("initial size"), &at("2026-11-23T10:09:00Z")).starts_with("$TargetDedicatedNodes=4;"));
    // "keeps a minimum of one dedicated node … up to a maximum of 8".
    let active = |n: f64| at("2026-11-23").with("$ActiveTasks", &[n; 10]);
    assert!(run(published("rendering tutorial"), &active(0.0)).starts_with("$TargetDedicatedNodes=1;"));
    assert!(run(published("rendering tutorial"), &active(50.0)).starts_with("$TargetDedicatedNodes=8;"));
}

#[test]
fn the_unguarded_formula_fails_on_a_new_pool_as_it_did_in_the_service() {
    // batch-shipyard issue 138 quotes the service's message.
    let text = "maxTasksPerNode = 1;\nPendingTaskAvg = avg($PendingTasks.GetSample(TimeInterval_Minute * 10, 70));";
    assert_eq!(
        run(text, &PoolState::empty(noon())),
        "Line 2, Col 22: Insufficient data from data set: $PendingTasks wanted 70%, received 0%"
    );
}
