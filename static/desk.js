// Brings the changing part of a page up to date: <div data-refresh="60"> every minute while somebody can see it.
(function () {
  var part = document.querySelector("[data-refresh]"), tag = "";
  if (!part || !window.fetch) return;
  function renew(html) {
    var focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
    part.innerHTML = html;
    // Whoever was on a link stays on it.
    var again = focused && part.querySelector('[href="' + focused + '"]');
    if (again) again.focus({ preventScroll: true });
  }
  function refresh() {
    if (document.hidden) return;
    fetch(location.href, { headers: { "X-Fragment": "yes", "If-None-Match": tag }, credentials: "same-origin" })
      .then(function (answer) {
        // Signed out meanwhile: the page itself leads to signing in. Or it has more to say now than this part.
        if (answer.status === 401 || answer.status === 205) location.reload();
        if (answer.status !== 200) return;
        tag = answer.headers.get("ETag") || "";
        return answer.text().then(renew);
      })
      .catch(function () {});
  }
  setInterval(refresh, part.getAttribute("data-refresh") * 1000);
  document.addEventListener("visibilitychange", refresh);
})();

// A button that prints the page is of use only where script runs.
(function () {
  var button = document.querySelector("[data-print]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", function () { window.print(); });
})();

// The camera scans into the field that its button names, where the browser reads bar codes by itself.
(function () {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices) return;
  document.querySelectorAll("[data-camera]").forEach(function (button) {
    var field = document.getElementById(button.getAttribute("data-camera")), video, last = "";
    var reads = new RegExp("^(?:" + button.getAttribute("data-reads") + ")$");
    button.hidden = false;
    button.addEventListener("click", function () {
      if (video) {
        video.srcObject.getTracks().forEach(function (track) { track.stop(); });
        video.remove();
        video = null;
        return;
      }
      navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(function (stream) {
        var detector = new BarcodeDetector();
        video = document.createElement("video");
        video.muted = video.playsInline = true;
        video.srcObject = stream;
        button.parentNode.appendChild(video);
        video.play();
        (function look() {
          if (!video) return;
          detector.detect(video).then(function (codes) {
            codes.forEach(function (code) {
              if (code.rawValue === last || !reads.test(code.rawValue)) return;
              field.value = last = code.rawValue;
              // What a scanner's Enter does.
              field.form.requestSubmit();
            });
          }).catch(function () {}).then(function () { setTimeout(look, 200); });
        })();
      }).catch(function () { button.hidden = true; });
    });
  });
})();
