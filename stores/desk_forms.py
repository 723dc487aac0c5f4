"""What people write on the desk's own pages: who they are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from stores.models import Person

# Longer ones would only cost the server time.
PASSWORD_LENGTH = 128


class SignInForm(forms.Form):
    username = forms.CharField(max_length=100)
    password = forms.CharField(max_length=PASSWORD_LENGTH, strip=False)


class CodeForm(forms.Form):
    code = forms.RegexField(r"^[0-9]{6}$", error_messages={"invalid": _("The code has six digits.")})

    def clean_code(self) -> int:
        return int(self.cleaned_data["code"])


class PasswordForm(forms.Form):
    """The password so far, and the new one twice."""

    old = forms.CharField(max_length=PASSWORD_LENGTH, strip=False)
    new = forms.CharField(max_length=PASSWORD_LENGTH, strip=False)
    again = forms.CharField(max_length=PASSWORD_LENGTH, strip=False)

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_old(self) -> str:
        old = self.cleaned_data["old"]
        if not self.person.check_password(old):
            raise forms.ValidationError(_("This is not your password so far."))
        return old

    def clean_new(self) -> str:
        new = self.cleaned_data["new"]
        if new == self.data.get("old"):
            raise forms.ValidationError(_("Please choose another password than before."))
        validate_password(new, self.person)
        return new

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "new" in given and "again" in given and given["new"] != given["again"]:
            self.add_error("again", _("The two new passwords are not the same."))
        return given
