"""The consultation brief (会商简报): one typed content model, and its Word, PDF, web and table renderings."""
