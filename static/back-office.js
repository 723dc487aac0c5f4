// Choices that are typed have no name of their own for who hears the page: each gets that of its label.
if (window.django && django.jQuery) django.jQuery(function () {
  document.querySelectorAll("select.admin-autocomplete").forEach(function (select) {
    var label = document.querySelector('label[for="' + select.id + '"]');
    if (!label) return;
    select.parentElement.querySelectorAll(".select2-selection, .select2-selection__rendered").forEach(function (shown) {
      shown.removeAttribute("aria-labelledby");
      shown.setAttribute("aria-label", label.textContent.trim());
    });
  });
});
