// Scanning: forms marked data-scan are sent without loading the page anew, one after another, and the field stays ready.
(function () {
  var part = document.getElementById("box"), field = document.getElementById("number"), pressed;
  if (!part || !field || !window.fetch || !window.Promise) return;
  var turn = Promise.resolve();

  function beep(isGood) {
    try {
      var audio = beep.audio || (beep.audio = new AudioContext()), tone = audio.createOscillator();
      tone.frequency.value = isGood ? 1200 : 220;
      tone.connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + (isGood ? 0.06 : 0.4));
    } catch (error) { /* No sound here: the line says it, too. */ }
  }

  function show(html) {
    part.innerHTML = html;
    var said = document.getElementById("said");
    if (said) beep(said.getAttribute("role") !== "alert");
  }

  // Each number is sent under a key of its own. One whose answer is lost is sent again under the same key.
  function newKey() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), function (byte) {
      return (256 + byte).toString(16).slice(1);
    }).join("");
  }

  function send(form, button) {
    var body = new FormData(form), number = form === field.form ? field.value : "", key = form.elements.form_key;
    if (button && button.name) body.append(button.name, button.value);
    if (number) field.value = "", key.value = newKey();
    turn = turn.then(function () {
      return fetch(form.action, { method: "POST", body: body, headers: { "X-Scan": "yes" }, credentials: "same-origin" });
    }).then(function (answer) {
      // The session has ended, or somebody else has closed the box: the page itself says so.
      if (answer.redirected || answer.status >= 400 && answer.status !== 409) throw location.reload();
      return answer.text();
    }).then(function (html) {
      if (html.indexOf("<html") < 0) show(html); else location.reload();
    }).catch(function () {
      var lost = document.createElement("p");
      lost.id = "said";
      lost.className = "said no";
      lost.setAttribute("role", "alert");
      lost.textContent = "✗ " + number + " " + field.form.getAttribute("data-lost");
      part.replaceChild(lost, part.firstElementChild);
      if (number && !field.value) field.value = number, key.value = body.get("form_key");
      beep(false);
    });
    field.focus();
  }

  document.addEventListener("click", function (event) { pressed = event.target.closest("button"); });
  document.addEventListener("submit", function (event) {
    if (!event.target.hasAttribute("data-scan")) return;
    event.preventDefault();
    send(event.target, pressed && pressed.form === event.target ? pressed : null);
    pressed = null;
  });
})();
