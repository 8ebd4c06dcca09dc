// Puts the text of a chosen file into the form; nothing is sent until the form is.
const chosen = document.getElementById("file");
const text = document.getElementById("scenario");

if (chosen && text) {
  chosen.hidden = false;
  document.querySelector('label[for="file"]').hidden = false;
  chosen.addEventListener("change", async () => {
    const [file] = chosen.files;
    if (file) text.value = await file.text();
  });
}
