//! Checked program → Fleet: pools, shares, networks in the words of the domain; domain rules.
