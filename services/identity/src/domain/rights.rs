//! Roles and permissions, and who may give them.

use std::collections::BTreeSet;

/// What staff may do, by the names that method rules use. The contract has the same list, which a test compares.
pub const PERMISSIONS: [&str; 15] = [
    "accounts.read",
    "accounts.write",
    "catalogue.read",
    "catalogue.write",
    "stock.read",
    "stock.write",
    "pricing.read",
    "pricing.write",
    "orders.read",
    "orders.write",
    "orders.refund",
    "payments.read",
    "reviews.moderate",
    "analytics.read",
    "notifications.read",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Customer,
    Staff,
    Admin,
}

/// One of [`PERMISSIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission(&'static str);

/// What an account may do. Only staff has permissions listed: an admin holds all of them, a customer none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    role: Role,
    permissions: BTreeSet<Permission>,
}

/// The words for whoever wrote the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only staff has permissions listed: an admin holds all of them, a customer none")]
pub struct PermissionsWithoutStaff;

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Customer => "customer",
            Role::Staff => "staff",
            Role::Admin => "admin",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Role::Customer, Role::Staff, Role::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

impl Permission {
    pub fn named(name: &str) -> Option<Self> {
        PERMISSIONS.into_iter().find(|known| *known == name).map(Permission)
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Rights {
    pub fn new(
        role: Role,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Result<Self, PermissionsWithoutStaff> {
        let permissions: BTreeSet<Permission> = permissions.into_iter().collect();
        match role == Role::Staff || permissions.is_empty() {
            true => Ok(Self { role, permissions }),
            false => Err(PermissionsWithoutStaff),
        }
    }

    pub fn customer() -> Self {
        Self { role: Role::Customer, permissions: BTreeSet::new() }
    }

    pub fn role(&self) -> Role {
        self.role
    }

    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        self.permissions.iter().copied()
    }

    pub fn hold(&self, permission: &str) -> bool {
        match self.role {
            Role::Customer => false,
            Role::Staff => self.permissions.iter().any(|held| held.as_str() == permission),
            Role::Admin => true,
        }
    }

    /// Whether everything that `other` may do can be done with these rights, too.
    pub fn cover(&self, other: &Rights) -> bool {
        self.role >= other.role && other.permissions().all(|permission| self.hold(permission.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(text: &str) -> Rights {
        match text {
            "customer" => Rights::customer(),
            "admin" => Rights::new(Role::Admin, []).unwrap(),
            permissions => {
                let listed = permissions.split('+').filter(|name| !name.is_empty() && *name != "staff");
                Rights::new(Role::Staff, listed.map(|name| Permission::named(name).unwrap())).unwrap()
            }
        }
    }

    #[test]
    fn rights_cover_what_is_not_more() {
        let names = ["customer", "staff", "orders.read", "orders.read+stock.read", "admin"];
        let table = "
            yes no  no  no  no
            yes yes no  no  no
            yes yes yes no  no
            yes yes yes yes no
            yes yes yes yes yes";

        for (row, holder) in table.trim().lines().zip(names) {
            for (cell, other) in row.split_whitespace().zip(names) {
                assert_eq!(rights(holder).cover(&rights(other)), cell == "yes", "{holder} over {other}");
            }
        }
    }

    #[test]
    fn only_staff_has_permissions_listed() {
        let read = Permission::named("orders.read").unwrap();

        assert!(Rights::new(Role::Staff, [read]).is_ok());
        assert_eq!(Rights::new(Role::Admin, [read]), Err(PermissionsWithoutStaff));
        assert_eq!(Rights::new(Role::Customer, [read]), Err(PermissionsWithoutStaff));
        assert!(rights("admin").hold("orders.refund"));
        assert!(!Rights::customer().hold("orders.read"));
        assert_eq!(Permission::named("orders.eat"), None);
    }
}
