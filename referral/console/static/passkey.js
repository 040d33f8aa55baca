// How a passkey is made, and how somebody signs in with one: the browser asks, the form carries its answer.
"use strict";

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// Newer browsers do this themselves; those of three years ago do not.
function understood(options) {
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const list of [options.excludeCredentials, options.allowCredentials]) {
    for (const credential of list || []) credential.id = bytes(credential.id);
  }
  return options;
}

function told(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  const rawId = text(credential.rawId);
  return JSON.stringify({id: rawId, rawId, type: credential.type, response, clientExtensionResults: {}});
}

function why(error) {
  if (error.name === "InvalidStateError") return _("This device has a passkey for you already.");
  if (error.name === "NotAllowedError") return _("No passkey was chosen. You can try again, or use your password.");
  if (error instanceof TypeError) return _("No connection. Please try again.");
  return error.message;
}

async function ask(form) {
  const refusal = form.querySelector(".refusal");
  refusal.hidden = true;
  try {
    const answer = await fetch(form.dataset.passkey, {
      method: "POST",
      body: new FormData(form),
      headers: {Accept: "application/json"},
    });
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.detail);
    const publicKey = understood(JSON.parse(result.options));
    const credential = await ("new" in form.dataset
      ? navigator.credentials.create({publicKey})
      : navigator.credentials.get({publicKey}));
    form.elements.answer.value = told(credential);
    form.submit();
  } catch (error) {
    refusal.textContent = why(error);
    refusal.hidden = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  // Where a browser knows no passkeys, it offers none.
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}
