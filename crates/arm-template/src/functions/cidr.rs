//! Functions on address ranges.

use super::args::{int, string};
use super::{Function, Group, plain};
use crate::error::EvalError;
use crate::value::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const G: Group = Group::Network;

pub(super) static FUNCTIONS: &[Function] = &[
    plain(G, "parseCidr", 1, Some(1), |a, _| {
        let range = Range::parse("parseCidr", string("parseCidr", a, 0)?)?;
        let mut members =
            vec![("network", Value::str(range.show(range.first()))), ("netmask", Value::str(range.show(range.mask())))];
        if range.bits == 32 {
            members.push(("broadcast", Value::str(range.show(range.last()))));
        }
        let (first, last) = range.usable();
        members.push(("firstUsable", Value::str(range.show(first))));
        members.push(("lastUsable", Value::str(range.show(last))));
        members.push(("cidr", Value::int(i64::from(range.prefix))));
        Value::object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }),
    plain(G, "cidrSubnet", 3, Some(3), |a, _| {
        let range = Range::parse("cidrSubnet", string("cidrSubnet", a, 0)?)?;
        let (prefix, index) = (int("cidrSubnet", a, 1)?, int("cidrSubnet", a, 2)?);
        let prefix =
            u32::try_from(prefix).ok().filter(|p| (range.prefix..=range.bits).contains(p)).ok_or_else(|| {
                bad(
                    "cidrSubnet",
                    format!(
                        "a subnet of `/{}` has a prefix from {} to {}; `{prefix}` is given",
                        range.prefix, range.prefix, range.bits
                    ),
                )
            })?;
        let step = 1u128.checked_shl(range.bits - prefix).unwrap_or(0);
        let first = u128::try_from(index)
            .ok()
            .and_then(|i| i.checked_mul(step))
            .and_then(|offset| range.first().checked_add(offset))
            .filter(|first| *first <= range.all())
            .ok_or_else(|| bad("cidrSubnet", format!("there is no subnet number {index}")))?;
        Ok(Value::str(format!("{}/{prefix}", range.show(first))))
    }),
    plain(G, "cidrHost", 2, Some(2), |a, _| {
        let range = Range::parse("cidrHost", string("cidrHost", a, 0)?)?;
        let index = int("cidrHost", a, 1)?;
        let first = if range.bits - range.prefix <= 1 { range.first() } else { range.first() + 1 };
        let host = u128::try_from(index)
            .ok()
            .and_then(|i| first.checked_add(i))
            .filter(|host| *host <= if range.bits == 32 { range.usable().1 } else { range.last() })
            .ok_or_else(|| bad("cidrHost", format!("the range has no host number {index}")))?;
        Ok(Value::str(range.show(host)))
    }),
];

fn bad(function: &str, sentence: String) -> EvalError {
    EvalError::new(format!(
        "The template language function '{function}' was invoked with a parameter that is not valid. Please see \
         https://aka.ms/arm-functions#{function} for usage details."
    ))
    .says(sentence)
}

struct Range {
    address: u128,
    prefix: u32,
    bits: u32,
}

impl Range {
    fn parse(function: &str, text: &str) -> Result<Self, EvalError> {
        let wrong = || {
            bad(
                function,
                format!("`{}` is not a range such as `10.0.0.0/16`", text.chars().take(60).collect::<String>()),
            )
        };
        let (address, prefix) = text.trim().split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (address, bits) = match address {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
            IpAddr::V6(v6) => (u128::from(v6), 128),
        };
        let prefix = prefix.parse::<u32>().ok().filter(|p| *p <= bits).ok_or_else(wrong)?;
        Ok(Self { address, prefix, bits })
    }

    fn all(&self) -> u128 {
        if self.bits == 32 { u128::from(u32::MAX) } else { u128::MAX }
    }

    fn host_mask(&self) -> u128 {
        1u128.checked_shl(self.bits - self.prefix).map_or(u128::MAX, |size| size - 1)
    }

    fn mask(&self) -> u128 {
        self.all() & !self.host_mask()
    }

    fn first(&self) -> u128 {
        self.address & self.mask()
    }

    fn last(&self) -> u128 {
        self.first() | self.host_mask()
    }

    fn usable(&self) -> (u128, u128) {
        if self.bits == 32 && self.prefix < 31 {
            (self.first() + 1, self.last() - 1)
        } else {
            (self.first(), self.last())
        }
    }

    fn show(&self, address: u128) -> String {
        if self.bits == 32 { Ipv4Addr::from(address as u32).to_string() } else { Ipv6Addr::from(address).to_string() }
    }
}
