// The token of a mailed link is in the fragment, which no request contains; it goes into the form, and leaves the address.
const token = document.getElementById("token");
if (token && location.hash.length > 1) {
  token.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}
// Signed out in this tab: the others leave too. Told after the server knows it.
if (new URLSearchParams(location.search).get("why") === "out") new BroadcastChannel("caseload").postMessage("out");
document.querySelector("input:not([type=hidden])")?.focus();
