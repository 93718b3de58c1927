//! The currencies of ISO 4217 and how many decimal places each has: the one place that knows.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Codes in use, by number of decimal places. Funds, metals and test codes are left out: nobody pays with them.
const BY_EXPONENT: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP \
         CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR \
         IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
         NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP \
         STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// A currency of ISO 4217. There is no value for an unknown one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    exponent: u32,
}

/// The text is not the code of a currency in use. The text is not repeated: it came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a currency: three capital letters of ISO 4217 are expected")]
pub struct UnknownCurrency;

impl Currency {
    /// The three capital letters.
    pub const fn as_str(&self) -> &'static str {
        self.code
    }

    /// How many decimal places the currency has: 2 for GBP, 0 for JPY, 3 for KWD.
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        BY_EXPONENT
            .iter()
            .find_map(|(exponent, codes)| {
                let code = find(codes, text)?;
                Some(Self { code, exponent: *exponent })
            })
            .ok_or(UnknownCurrency)
    }
}

/// Every price that a store reads comes by here, so it is not a walk through all codes: they stand in order,
/// four bytes apart.
fn find(codes: &'static str, text: &str) -> Option<&'static str> {
    let (mut low, mut high) = (0, codes.len().div_ceil(4));
    while low < high {
        let middle = (low + high) / 2;
        let code = codes.get(middle * 4..middle * 4 + 3)?;
        match code.cmp(text) {
            Ordering::Equal => return Some(code),
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
        }
    }
    None
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_code_of_the_table_is_found() {
        for (exponent, codes) in BY_EXPONENT {
            for code in codes.split(' ') {
                let currency: Currency = code.parse().unwrap();
                assert_eq!((currency.as_str(), currency.exponent()), (code, exponent));
            }
        }
        for unknown in ["", "GB", "GBPX", "gbp", "AAA", "ZZZ", "P G", " GB", "D A"] {
            assert_eq!(unknown.parse::<Currency>(), Err(UnknownCurrency), "{unknown}");
        }
    }
}
