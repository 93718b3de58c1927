// Ready operations in the form in which the edge hands them out, for the small schema of the mock.

export const OPERATIONS = [
  {
    title: "Browse products",
    hint: "The first page of the catalogue, with prices and reviews: a batch call per service, whatever the length.",
    query: `query BrowseProducts($first: Int!) {
  products(first: $first) {
    totalCount
    nodes {
      title
      handle
      price { amount currencyCode }
      reviews { rating title }
    }
  }
}`,
    variables: { first: 20 },
  },
  {
    title: "Product page",
    query: `query ProductPage($handle: String!) {
  product(handle: $handle) {
    title
    price { amount currencyCode }
    reviews { rating title }
  }
}`,
    variables: { handle: "harbour-mug" },
  },
  {
    title: "Search",
    query: "query Search($query: String!) {\n  products(query: $query) {\n    nodes { title handle }\n  }\n}",
    variables: { query: "lamp" },
  },
  {
    title: "Add to cart",
    hint: "{{newKey}} is another idempotency key at each run; write a fixed one to see an answer replayed.",
    query: `mutation AddToCart($handle: String!, $quantity: Int!, $key: ID!) {
  cartLinesAdd(productHandle: $handle, quantity: $quantity, idempotencyKey: $key) {
    cart { id lines { quantity product { title } } }
    userErrors { field code message }
  }
}`,
    variables: { handle: "harbour-mug", quantity: 2, key: "{{newKey}}" },
    remember: { cartId: "cartLinesAdd.cart.id" },
  },
  {
    title: "Checkout",
    hint: "Pays with the test card that approves.",
    query: `mutation Checkout($cartId: ID!, $key: ID!) {
  checkoutCreate(cartId: $cartId, card: "4242 4242 4242 4242", idempotencyKey: $key) {
    checkout { id status order { id number status } }
    userErrors { field code message }
  }
}`,
    variables: { cartId: "{{cartId}}", key: "{{newKey}}" },
    remember: { orderId: "checkoutCreate.checkout.order.id" },
  },
  {
    title: "Watch the order",
    query: "subscription WatchOrder($id: ID!) {\n  orderUpdated(id: $id) {\n    number\n    status\n  }\n}",
    variables: { id: "{{orderId}}" },
  },
  {
    title: "Staff: moderate a review",
    persona: "staff",
    query: `mutation ModerateReview($id: ID!) {
  reviewModerate(id: $id, status: "APPROVED") {
    review { id status title }
    userErrors { field code message }
  }
}`,
    variables: { id: "Review_1" },
  },
  {
    title: "Staff: restock",
    persona: "staff",
    query: "query Restock {\n  products(first: 1) {\n    nodes { title }\n  }\n}",
  },
];
