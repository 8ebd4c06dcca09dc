// The slider and the number beside it say the same block; letting go of the slider looks there.
const slider = document.getElementById("block-slider");
const number = document.getElementById("block");

slider?.addEventListener("input", () => { number.value = slider.value; });
slider?.addEventListener("change", () => slider.form.requestSubmit());
number?.addEventListener("input", () => { slider.value = number.value; });
