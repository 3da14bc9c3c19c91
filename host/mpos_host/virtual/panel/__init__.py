"""The panel of the virtual board: LVGL with a screen and a touch panel, in a process of its own."""
