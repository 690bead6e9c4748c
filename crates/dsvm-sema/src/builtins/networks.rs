//! Functions of address ranges.

use super::{Builtin, CallError, Kind, at, int};
use crate::ty::Ty;
use crate::value::Value;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "cidr_subnet",
        signature: "cidr_subnet(net: cidr, prefix: int, number: int): cidr",
        doc: "One of the ranges of that prefix inside an address range, counted from 0.",
        example: ("cidr_subnet(10.0.0.0/16, 24, 2)", "10.0.2.0/24"),
        arguments: &[Kind::Cidr, Kind::Int, Kind::Int],
        least: 3,
        many: false,
        compute: subnet,
        arm: Some("cidrSubnet"),
        result: |_| Ty::Cidr,
    },
    Builtin {
        name: "cidr_host",
        signature: "cidr_host(net: cidr, number: int): ip",
        doc: "An address inside an address range, counted from the address of the range. Azure reserves the first four addresses of a subnet.",
        example: ("cidr_host(10.0.2.0/24, 4)", "10.0.2.4"),
        arguments: &[Kind::Cidr, Kind::Int],
        least: 2,
        many: false,
        compute: host,
        // The template function counts from the first host, which is one further.
        arm: None,
        result: |_| Ty::Ip,
    },
];

fn net(value: &Value) -> Result<IpNet, CallError> {
    match value {
        Value::Cidr(net) => Ok(*net),
        _ => Err(CallError::Later),
    }
}

fn subnet(values: &[Value]) -> Result<Value, CallError> {
    let (net, prefix, number) = (net(at(values, 0)?)?, int(at(values, 1)?)?, int(at(values, 2)?)?);
    let outside = || CallError::Value(format!("`{net}` has no range number {number} of prefix {prefix}"));
    let most = i64::from(net.max_prefix_len());
    if prefix < i64::from(net.prefix_len()) || prefix > most || number < 0 {
        return Err(outside());
    }
    let bits = (prefix - i64::from(net.prefix_len())) as u32;
    if bits < 63 && number >= 1_i64 << bits {
        return Err(outside());
    }
    let shift = (most - prefix) as u32;
    let inner = match net {
        IpNet::V4(net) => {
            let base = u64::from(u32::from(net.network())) + ((number as u64) << shift);
            let base = u32::try_from(base).map_err(|_| outside())?;
            IpNet::V4(Ipv4Net::new(Ipv4Addr::from(base), prefix as u8).map_err(|_| outside())?)
        }
        IpNet::V6(net) => {
            let step = (number as u128).checked_shl(shift).unwrap_or(0);
            let base = u128::from(net.network()).checked_add(step).ok_or_else(outside)?;
            IpNet::V6(Ipv6Net::new(Ipv6Addr::from(base), prefix as u8).map_err(|_| outside())?)
        }
    };
    Ok(Value::Cidr(inner))
}

fn host(values: &[Value]) -> Result<Value, CallError> {
    let (net, number) = (net(at(values, 0)?)?, int(at(values, 1)?)?);
    let outside = || CallError::Value(format!("`{net}` has no address number {number}"));
    let number = u128::try_from(number).map_err(|_| outside())?;
    let address = match net.network() {
        IpAddr::V4(base) => {
            let address = u128::from(u32::from(base)) + number;
            IpAddr::V4(Ipv4Addr::from(u32::try_from(address).map_err(|_| outside())?))
        }
        IpAddr::V6(base) => IpAddr::V6(Ipv6Addr::from(u128::from(base).checked_add(number).ok_or_else(outside)?)),
    };
    if net.contains(&address) { Ok(Value::Ip(address)) } else { Err(outside()) }
}
