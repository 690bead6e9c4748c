//! The functions over numbers and vectors.

use super::names::Signature;
use super::value::Value;

/// Longest vector that an evaluation may build.
pub const MAX_VECTOR: usize = 100_000;

/// Calls a function whose signature is over numbers and vectors.
///
/// # Errors
/// One clause: why it has no result.
pub fn call(name: &str, signature: Signature, args: Vec<Value>) -> Result<Value, String> {
    match (signature, args.as_slice()) {
        (Signature::Each, [Value::Number(n)]) => each(name, *n).map(Value::Number),
        (Signature::Each, _) => {
            flatten(args)?.into_iter().map(|n| each(name, n)).collect::<Result<_, _>>().map(Value::Vector)
        }
        (Signature::ListToVector, _) => flatten(args).map(Value::Vector),
        (Signature::VectorAndNumber, [Value::Vector(v), Value::Number(n)]) => element(name, v, *n).map(Value::Number),
        (Signature::ListToNumber, _) => reduce(name, &flatten(args)?).map(Value::Number),
        _ => Err(format!("`{name}` is called with the wrong arguments")),
    }
}

/// Any mix of numbers and vectors as one vector.
fn flatten(args: Vec<Value>) -> Result<Vec<f64>, String> {
    let mut all = Vec::new();
    for arg in args {
        match arg {
            Value::Number(n) => all.push(n),
            Value::Vector(mut v) => all.append(&mut v),
            other => return Err(format!("found a {} among numbers", other.type_name())),
        }
        if all.len() > MAX_VECTOR {
            return Err(format!("a vector exceeds {MAX_VECTOR} numbers"));
        }
    }
    Ok(all)
}

fn each(name: &str, n: f64) -> Result<f64, String> {
    Ok(match name {
        "lg" => n.log2(),
        "ln" => n.ln(),
        "log" => n.log10(),
        "ceil" => n.ceil(),
        "floor" => n.floor(),
        "round" => n.round(),
        _ => return Err(format!("there is no function `{name}`")),
    })
}

fn element(name: &str, v: &[f64], n: f64) -> Result<f64, String> {
    if name == "val" {
        // Casts saturate; a fraction is cut off.
        let found = if n >= 0.0 { v.get(n as usize) } else { None };
        return found.copied().ok_or_else(|| format!("index {n} is outside a vector of {} numbers", v.len()));
    }
    if !(0.0..=100.0).contains(&n) {
        return Err(format!("{n} is not a percentile between 0 and 100"));
    }
    let mut sorted = v.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The nearest rank: the least element that so many percent of all do not exceed.
    let rank = (n / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().ok_or_else(|| "the vector is empty".to_owned())
}

fn reduce(name: &str, v: &[f64]) -> Result<f64, String> {
    let count = v.len() as f64;
    let sum = || v.iter().sum::<f64>();
    match name {
        "len" => return Ok(count),
        "sum" => return Ok(sum()),
        "norm" => return Ok(v.iter().map(|n| n * n).sum::<f64>().sqrt()),
        _ => {}
    }
    let least = v.iter().copied().reduce(f64::min);
    let most = v.iter().copied().reduce(f64::max);
    let (Some(least), Some(most)) = (least, most) else { return Err(format!("`{name}` of no numbers")) };
    Ok(match name {
        "min" => least,
        "max" => most,
        "range" => most - least,
        // Between the extremes by definition; rounding must not carry it outside.
        "avg" => (sum() / count).max(least).min(most),
        "std" if v.len() < 2 => 0.0,
        "std" => {
            let mean = sum() / count;
            (v.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
        }
        _ => return Err(format!("there is no function `{name}`")),
    })
}
